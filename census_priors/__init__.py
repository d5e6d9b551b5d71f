"""Census tables: domains, marginal tables and look-ups. A locale is a folder of data."""
