"""The configuration of a run, its file, and the selection of people."""
