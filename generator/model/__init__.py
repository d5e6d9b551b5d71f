"""Tables to a fitted model: a network of dense arrays, and what it says of itself."""
