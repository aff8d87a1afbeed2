"""Worker processes for all cores: one each, on one port, supervised by a parent that serves no calls itself."""
