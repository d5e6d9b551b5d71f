"""A fitted population to sample, condition and query, and what is computed from it."""
