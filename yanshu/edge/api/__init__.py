"""The HTTP API: a table of endpoints, one door they all go through, and the handlers behind it."""
