"""One file a resource: its endpoints as data, its handlers below."""
