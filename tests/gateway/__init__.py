"""The gateway with real Traefik and real Envoy: `make test-gateway`."""
