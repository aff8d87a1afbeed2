"""Measurements of the numbering core on data engines."""
