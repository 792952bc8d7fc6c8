"""Shapes on the wire: what requests carry and what answers show."""
