"""SMGP 3.0 (China Telecom) as a dialect of the carrier engine."""
