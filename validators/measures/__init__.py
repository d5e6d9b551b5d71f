"""Measures of a whole dataset, one a file: the file's name is the measure's."""
