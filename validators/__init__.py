"""Rules that check each record, and measures of a whole dataset."""
