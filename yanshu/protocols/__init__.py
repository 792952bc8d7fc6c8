"""Sans-IO wire protocols: bytes and time in, events and bytes out."""
