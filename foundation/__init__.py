"""The ground floor: errors, files, YAML, seeded streams. No census, no model, no LLM."""
