"""Which occupation a text describes."""
