"""CMPP 2.0 and 3.0: our words to SUBMIT, DELIVER and back."""
