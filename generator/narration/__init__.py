"""Rows to records: facts for the prompts, the loop of requests, checks and repairs, and the journal."""
