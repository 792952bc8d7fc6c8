"""Texts on the air: alphabets, segments and headers; the one answer to "how many segments"."""
