"""Telemetry for operators: one JSON log, metrics, traces. Never a secret, never a full phone number."""
