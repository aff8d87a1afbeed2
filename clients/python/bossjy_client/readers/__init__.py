"""Readers of other file formats: one module each, and one registration in `registry`."""
