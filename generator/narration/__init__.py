"""Rows to records: facts for the prompts, the loop that asks, checks and repairs, the journal."""
