"""How a call comes in and goes out: the ordered chain, one file per concern, errors to status, health, drain."""
