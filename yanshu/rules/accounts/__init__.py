"""Room of who may do what: keys, scopes, rates, and secrets at rest."""
