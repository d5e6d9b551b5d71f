"""Texts and records in the form in which rules read them."""
