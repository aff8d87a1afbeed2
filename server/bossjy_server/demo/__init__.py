"""Demonstration: the service on embedded servers, with a new tenant and 10,000 imported contacts."""

from __future__ import annotations

from bossjy_server.demo.run import run_demo

__all__ = ["run_demo"]
