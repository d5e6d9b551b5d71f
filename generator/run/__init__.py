"""A run: its folder and files, and the pipeline that fills them."""
