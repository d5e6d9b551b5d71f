"""Executors: the work of a run spread over workers."""
