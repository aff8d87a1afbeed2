"""The command-line tool `bossjy`."""

from __future__ import annotations

from bossjy_client.cli.program import main

__all__ = ["main"]
