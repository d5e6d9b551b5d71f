"""Experiments: the same people under several configurations, and what differs."""
