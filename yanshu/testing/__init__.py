"""Shipped test helpers: fakes, a real PostgreSQL, and one conformance suite per seam."""
