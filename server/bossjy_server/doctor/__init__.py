"""Self-check of an installation: the command `bossjy-server doctor`. It reads and changes nothing."""
