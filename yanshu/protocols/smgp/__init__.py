"""SMGP 3.0 (China Telecom), sans-IO: octets in, structs and events out."""
