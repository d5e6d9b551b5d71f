"""Census-true populations of personas."""
