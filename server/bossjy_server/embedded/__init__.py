"""Embedded servers: a real PostgreSQL and Redis below the data folder, with a watchdog that ends them."""
