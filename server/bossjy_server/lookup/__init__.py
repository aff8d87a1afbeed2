"""Live look-ups: what a provider outside knows of a number now. Off until one is configured."""
