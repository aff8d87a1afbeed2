"""PostgreSQL and Redis: pools, the tenant's transaction, the embedded parts."""
