"""A fitted population to sample, condition and query; imputation, completion and scoring with it."""
