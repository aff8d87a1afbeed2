"""Fixtures: contacts come from imports, so the service of imports and its plan are included."""

from __future__ import annotations

from tests.integration.imports.conftest import imports, make_imports, plan

__all__ = ["imports", "make_imports", "plan"]
