"""What came out, beside what should have."""
