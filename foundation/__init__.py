"""Foundation: errors, files, YAML and seeded streams, independent of census, model and LLM."""
