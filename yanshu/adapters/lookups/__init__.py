"""Room of registers that know which operator serves a number."""
