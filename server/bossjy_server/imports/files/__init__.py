"""CSV files of rows that an import rejected or found to be duplicates."""
