from __future__ import annotations

import pytest

from tests.integration.phone.asking import Phone
from tests.service import Service


@pytest.fixture
def phone(shared_service: Service) -> Phone:
    return Phone(shared_service)
