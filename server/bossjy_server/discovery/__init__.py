"""Service discovery: the server registers itself in Consul while it serves."""
