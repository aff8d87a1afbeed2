"""ImportService: a streamed list is cleaned, deduplicated and merged into the contacts, exactly once."""
