"""The fitted model to rows: evidence, targets and quotas first, then draws in numpy blocks."""
