"""Datasets of people who exist: read, matched to a locale, and planned."""
