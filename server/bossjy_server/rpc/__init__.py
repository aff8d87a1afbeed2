"""gRPC front end: the chain of interceptors, one file each; errors to status, health, drain."""
