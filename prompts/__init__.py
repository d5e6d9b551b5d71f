"""Records in, chat messages out: sandboxed, strict Jinja templates."""
