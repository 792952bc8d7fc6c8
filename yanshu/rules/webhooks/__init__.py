"""Room of the calls to customers: how they are signed, retried, shaped, and where they may go."""
