"""Builders: compute the tables of a locale from official statistical files."""
