"""Search for leaks at the end of a test run: secrets, tokens and phone numbers in logs, traces and metrics.

Sent data is recorded where calls leave the tests (grpc.aio and grpc channels). The output of servers is in the folders
of the tests: their logs, their output, and their metrics and spans if a fixture stores those. One hit fails the run.
"""

from __future__ import annotations

import functools
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message

# Fields of the contracts with values that no log may contain.
_SECRET_FIELDS = re.compile(r"(^|_)(password|token|secret|code)$")
_NUMBER_FIELDS = re.compile(r"phone_numbers?$|^e164$|^text$")
_NUMBER = re.compile(rb"\d(?:[ ().\-/]{0,2}\d){8,14}")
_WORD = re.compile(r"[\w.\-]{20,}")
# The number in the examples that `make run` prints.
_SHOWN = frozenset({"13800000000", "8613800000000"})
_PAGE_TOKEN, _MOST_BYTES, _MOST_KEPT = "page_token", 20_000, 200_000


class Sent:
    """Sent data that must not be found: secrets as they are, numbers as digits. Bounded."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.numbers: set[str] = set()

    def see(self, request: object, metadata: object) -> None:
        """Record the secrets and numbers of one message and its metadata."""
        for key, value in metadata or ():  # type: ignore[attr-defined]
            if key == "authorization" and isinstance(value, str):
                self._secret(value.partition(" ")[2])
        if isinstance(request, Message):
            self._message(request)

    def _message(self, message: Message) -> None:
        for field, value in message.ListFields():
            values = value if field.is_repeated and not hasattr(value, "items") else [value]
            for one in values[:200]:
                if isinstance(one, Message):
                    self._message(one)
                elif isinstance(one, bytes):
                    self._numbers(one[:_MOST_BYTES])
                elif isinstance(one, str) and field.name != _PAGE_TOKEN:
                    if _SECRET_FIELDS.search(field.name):
                        self._secret(one)
                    elif _NUMBER_FIELDS.search(field.name):
                        self._numbers(one[:_MOST_BYTES].encode("utf-8", "replace"))

    def _secret(self, text: str) -> None:
        if len(text) >= 12 and len(self.secrets) < _MOST_KEPT:
            self.secrets.add(text)

    def _numbers(self, text: bytes) -> None:
        if len(self.numbers) < _MOST_KEPT:
            self.numbers.update({digits_of(found) for found in _NUMBER.findall(text)} - _SHOWN)

    def found_in(self, text: str) -> list[str]:
        """The sent values that a text contains, masked: the first characters and the length."""
        words = set(_WORD.findall(text))
        hits = [one for one in self.secrets if (one in words if _WORD.fullmatch(one) else one in text)]
        hits += self.numbers & {digits_of(found) for found in _NUMBER.findall(text.encode("utf-8", "replace"))}
        return [f"{hit[:4]}… of {len(hit)} characters" for hit in hits]


def digits_of(number: bytes) -> str:
    """Only the digits."""
    return re.sub(rb"\D", b"", number).decode()


def watched(sent: Sent, call: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a channel's callables that passes its arguments to `sent`."""

    @functools.wraps(call)
    def watching(self: Any, request: Any = None, *arguments: Any, **named: Any) -> Any:
        metadata = named.get("metadata")
        if hasattr(request, "__aiter__"):
            request = _passed_on(sent, request)
        sent.see(request, metadata)
        return call(self, request, *arguments, **named)

    return watching


async def _passed_on(sent: Sent, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        sent.see(request, None)
        yield request


@pytest.fixture(scope="session", autouse=True)
def nothing_leaks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Record what all tests send; at the end search what all servers wrote."""
    sent = Sent()
    with pytest.MonkeyPatch.context() as patch:
        for kind in (
            grpc.aio.UnaryUnaryMultiCallable,
            grpc.aio.UnaryStreamMultiCallable,
            grpc.aio.StreamStreamMultiCallable,
        ):
            for one in kind.__subclasses__():
                patch.setattr(one, "__call__", watched(sent, one.__call__))
        yield sent
    leaks = [f"{path}: {hit}" for path in written(tmp_path_factory.getbasetemp()) for hit in sent.found_in(_text(path))]
    assert not leaks, "servers wrote what tests sent:\n" + "\n".join(leaks[:20])


def written(folder: Path) -> list[Path]:
    """The files below a folder that servers wrote for people: logs in any rotation."""
    return [path for path in folder.rglob("*.log*") if path.is_file() and not path.is_symlink()]


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")
