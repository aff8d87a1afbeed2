"""Tenants, users, sessions, API keys, and the tokens that stand for them."""
