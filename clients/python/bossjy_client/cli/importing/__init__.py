"""The command `bossjy import`: from its options and files to the summary of the import."""
