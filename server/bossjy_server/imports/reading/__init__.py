"""File reading: compression, encoding, form, header and rows of the bytes that come. Pure."""
