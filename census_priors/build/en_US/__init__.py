"""The builder of the en_US locale: official files of the United States in, its tables and look-ups out."""
