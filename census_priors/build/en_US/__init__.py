"""The builder of the en_US locale, from official files of the United States."""
