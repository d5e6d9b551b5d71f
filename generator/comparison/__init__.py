"""Compares two datasets in full: people, tables, names, texts, rule findings and scores of the judge."""
