"""SGIP 1.2 (China Unicom), sans-IO: octets in, structs and events out."""
