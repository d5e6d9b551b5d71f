"""May a record, or a whole dataset, be trusted?"""
