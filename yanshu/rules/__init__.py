"""Rules: what the pipeline asks. Each room answers one kind of question and knows no other room."""
