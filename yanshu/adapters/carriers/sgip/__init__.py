"""SGIP 1.2: our words to SUBMIT, REPORT, DELIVER and back."""
