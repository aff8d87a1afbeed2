"""Logins: sessions, second factors, throttling, revocations, and the authentication of calls."""
