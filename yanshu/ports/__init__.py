"""The seams: Protocol classes only."""
