"""Accounts of people: registration, users, tenants, and the operator's commands about them."""
