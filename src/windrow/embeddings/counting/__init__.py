"""Word vectors by counting: which words stand near which, and the factors of that matrix."""
