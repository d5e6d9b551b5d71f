"""The offline narrator: a grammar over facts, occupations and traits, without a language model."""
