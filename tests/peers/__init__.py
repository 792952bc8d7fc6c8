"""Programs of others that speak our protocols: where they are, and how they are started."""
