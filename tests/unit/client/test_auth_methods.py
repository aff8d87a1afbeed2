"""The clients of AuthService reach each of its methods."""

from __future__ import annotations

import re
from pathlib import Path

from bossjy.auth.v1 import auth_service_pb2
from bossjy_client import auth

FOLDER = Path(auth.__file__).parent


def test_each_method_of_the_service_has_one_in_the_client() -> None:
    sources = "".join((FOLDER / f"{name}.py").read_text("utf-8") for name in ("auth", "users", "tenant"))
    called = set(re.findall(r"self\._stub\.(\w+)", sources))
    assert called == {method.name for method in auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"].methods}
