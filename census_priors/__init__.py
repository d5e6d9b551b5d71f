"""What the census says: domains, marginal tables, look-ups. A locale is a folder of data."""
