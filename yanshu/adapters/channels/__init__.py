"""Channels beside the carriers: for now the HTTP endpoints of customers."""
