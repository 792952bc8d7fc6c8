"""Room of what may be said, to whom and when."""
