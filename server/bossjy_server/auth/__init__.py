"""Tenants, users, sessions, API keys and tokens."""
