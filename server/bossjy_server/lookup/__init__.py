"""Live look-ups: current data of an external provider about a number. Off unless one is configured."""
