"""The demonstration: the service on its embedded parts, with a tenant of its own and 10,000 imported contacts."""

from __future__ import annotations

from bossjy_server.demo.run import run_demo

__all__ = ["run_demo"]
