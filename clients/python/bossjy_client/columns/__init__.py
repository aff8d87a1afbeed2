"""Validation of whole columns: lists, NumPy arrays, pandas and polars series, Arrow arrays, each to its own kind."""
