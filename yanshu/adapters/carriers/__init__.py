"""Carriers: our words to the carrier's protocol and back, one adapter a protocol."""
