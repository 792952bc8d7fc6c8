"""Room of the people we write to: their numbers."""
