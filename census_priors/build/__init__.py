"""Official statistical files in, the tables of a locale out."""
