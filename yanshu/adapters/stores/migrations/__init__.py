"""Alembic scripts: one step a schema change."""
