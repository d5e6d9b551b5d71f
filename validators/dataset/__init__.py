"""Measures of a whole dataset, one measure a file."""
