"""Database side of imports: merge of blocks into contacts, reversal, and the stores of their tables."""
