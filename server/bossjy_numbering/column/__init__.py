"""Column engine for phone numbers: NumPy operations over all rows, no Python loop over rows."""
