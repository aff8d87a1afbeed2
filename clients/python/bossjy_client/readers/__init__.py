"""Readers: files of other formats as what the service reads. One module each, and one registration in `registry`."""
