"""PostgreSQL and Redis: pools, tenant transactions, embedded servers."""
