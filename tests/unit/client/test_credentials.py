from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bossjy_client import CredentialsError, SessionTokens
from bossjy_client.credentials import CredentialsFile, Login

TARGET = "127.0.0.1:18001"


@pytest.fixture
def file(tmp_path: Path) -> CredentialsFile:
    return CredentialsFile(tmp_path / "bossjy" / "credentials.json")


def login(target: str = TARGET, number: int = 1) -> Login:
    return Login(target, "acme", "a@example.com", f"access-{number}", f"refresh-{number}", 1000.0 * number)


def test_only_the_owner_can_read_the_file(file: CredentialsFile) -> None:
    file.save(login())
    assert file.load() == login()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.path.parent.iterdir() if path.suffix == ".new"] == []


def test_file_that_others_can_read_is_refused(file: CredentialsFile) -> None:
    file.save(login())
    file.path.chmod(0o640)
    with pytest.raises(CredentialsError, match="chmod 600"):
        file.load()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"logins": {"a": 1}}', '{"logins": {"a": {"b": 1}}}', "\x00"])
def test_a_damaged_file_is_reported(file: CredentialsFile, text: str) -> None:
    file.save(login())
    file.path.write_text(text)
    with pytest.raises(CredentialsError, match="log in again"):
        file.load()


def test_one_login_for_each_service(file: CredentialsFile) -> None:
    file.save(login())
    file.save(login("other:1", 2))
    assert file.load() == login("other:1", 2)
    assert file.load(TARGET) == login()
    assert file.load("nowhere:1") is None
    file.remove("other:1")
    assert file.load() == login()
    file.remove(TARGET)
    assert file.load() is None


async def test_two_programs_exchange_a_token_once(file: CredentialsFile) -> None:
    """A refresh token works once: the second program must find what the first one got."""
    file.save(login())
    exchanged: list[str] = []

    async def refresh(tokens: SessionTokens) -> SessionTokens:
        exchanged.append(tokens.refresh_token)
        await asyncio.sleep(0.1)
        return SessionTokens("access-2", "refresh-2", 2000.0)

    other = CredentialsFile(file.path)
    first, second = await asyncio.gather(
        file.renew(TARGET, login().session, refresh), other.renew(TARGET, login().session, refresh)
    )
    assert first == second == SessionTokens("access-2", "refresh-2", 2000.0)
    assert exchanged == ["refresh-1"]
    assert file.load() == login().renewed(first)


def test_secrets_stay_out_of_texts() -> None:
    assert "access-1" not in repr(login())
    assert "refresh-1" not in repr(login())
