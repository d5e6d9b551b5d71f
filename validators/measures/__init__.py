"""Measures of a whole dataset, one per file; the file's name is the measure's name."""
