"""The engine: fit a population, sample it, have it narrated, check it, write it."""
