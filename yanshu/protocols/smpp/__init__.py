"""SMPP 3.4: PDUs, codec, receipts, client and server sessions."""
