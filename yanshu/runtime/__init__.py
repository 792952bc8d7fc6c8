"""Plumbing: logs, metrics, supervision, the clock, and the driver of sans-IO sessions."""
