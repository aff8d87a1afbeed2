"""Row cleaning in columns: numbers, attributes, rejected and duplicate rows of a block. Pure."""
