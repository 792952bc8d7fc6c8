"""Callbacks of HTTP carriers: receipts and texts of people come in, on a listener of their own."""
