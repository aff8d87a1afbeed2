"""Upload streams: bytes in order become clean blocks, which are committed one after another."""
