"""Room of the text: what a message says once its places are filled in."""
