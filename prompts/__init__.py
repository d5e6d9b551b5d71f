"""Prompts: render records to chat messages with sandboxed, strict Jinja templates."""
