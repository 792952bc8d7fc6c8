"""Rules that run: what no linter checks, and that the documentation says what the code does."""
