"""Repositories by noun, written once in SQLAlchemy Core for both engines; the engines add their hot paths."""
