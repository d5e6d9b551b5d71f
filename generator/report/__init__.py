"""Reports: a dataset beside the tables that it should follow."""
