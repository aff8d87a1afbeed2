"""Passwords: rules for new ones, and hashing on threads of their own."""
