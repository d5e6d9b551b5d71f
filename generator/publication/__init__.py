"""Publication: what of a run others may have, and its way to the Hugging Face hub."""
