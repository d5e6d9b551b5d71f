"""Sampling: conditions the fitted model on evidence, targets and quotas, and draws rows in numpy blocks."""
