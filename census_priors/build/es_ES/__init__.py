"""The builder of Spain: official files -> the tables of es_ES."""
