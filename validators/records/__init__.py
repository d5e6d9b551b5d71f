"""Rules about one record, one rule a file."""
