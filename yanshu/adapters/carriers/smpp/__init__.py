"""SMPP 3.4: our words to submit_sm, deliver_sm and back."""
