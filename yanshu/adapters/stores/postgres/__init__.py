"""The store at scale: PostgreSQL through asyncpg."""
