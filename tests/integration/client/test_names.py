"""The names of the two clients, and that their types and their methods agree."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import bossjy_client
from bossjy_client import AsyncClient, ClientConfig
from bossjy_client.call_options import NAMES
from bossjy_client.client import PARTS
from bossjy_client.connection import Connection

ROOT = Path(__file__).resolve().parents[3]


def test_the_former_name_works_with_a_warning() -> None:
    importlib.reload(bossjy_client)
    with pytest.warns(DeprecationWarning, match="Client is AsyncClient"):
        assert bossjy_client.Client is AsyncClient
    with pytest.raises(AttributeError, match="no attribute 'Clients'"):
        _ = getattr(bossjy_client, "Clients")  # noqa: B009


def test_every_part_takes_the_options_of_a_call() -> None:
    client = AsyncClient(Connection("127.0.0.1:1", ClientConfig()))
    parts: dict[str, Any] = {name: getattr(client, name) for name in PARTS}
    assert {"auth", "phone", "contacts", "imports"} <= parts.keys()
    plain = [
        f"{part}.{name}"
        for part, held in parts.items()
        for name, method in inspect.getmembers(held, inspect.ismethod)
        if not name.startswith("_") and inspect.unwrap(method) is method
    ]
    assert plain == []


def test_a_client_lists_its_parts_and_has_no_others() -> None:
    client = AsyncClient(Connection("127.0.0.1:1", ClientConfig()))
    assert set(PARTS) <= set(dir(client))
    assert client.phone is client.phone
    with pytest.raises(AttributeError, match="no attribute 'phones'"):
        _ = getattr(client, "phones")  # noqa: B009


def test_the_types_name_the_options() -> None:
    stub = (ROOT / "clients/python/bossjy_client/clients.pyi").read_text("utf-8")
    assert all(f"{name}: " in stub for name in NAMES)
    assert "def validate_column(" in stub
