"""All cores: one process for each, on one port, kept running by a parent that serves nothing itself."""
