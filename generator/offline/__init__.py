"""The offline narrator: a grammar over facts, O*NET and traits, without a model."""
