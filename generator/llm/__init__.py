"""Chat models: one protocol, one backend a file."""
