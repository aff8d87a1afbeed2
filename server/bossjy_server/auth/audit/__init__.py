"""Audit log: reads, removal of old events, and the events of refusals and of the operator."""
