"""A column of numbers through the tables: NumPy over rows, no Python loop over them."""
