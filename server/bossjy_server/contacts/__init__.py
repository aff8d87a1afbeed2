"""ContactService: what was imported, read, listed and deleted."""
