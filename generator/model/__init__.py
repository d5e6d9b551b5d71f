"""The fitted model: a network of dense arrays, fitted to tables, and its description."""
