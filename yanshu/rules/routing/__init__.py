"""Room of the ways out: which connectors a message may use."""
