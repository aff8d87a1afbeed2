"""Credentials: signing keys, access tokens, refresh tokens, API keys and client certificates."""
