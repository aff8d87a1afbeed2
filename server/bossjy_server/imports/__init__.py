"""ImportService: a list streamed in is cleaned, deduplicated and merged into the contacts, exactly once."""
