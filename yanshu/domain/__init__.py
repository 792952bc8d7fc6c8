"""The nouns of the platform: structs, enums, state tables, errors, ids. No I/O, no clock, no randomness."""
