"""What a provider of live look-ups is, whatever it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider tells of a number. Empty and None: not told."""

    carrier: str
    line_status: str
    ported: bool | None
    time_s: float  # Unix time at which it was told

    def to_bytes(self) -> bytes:
        """For the cache. The number is not in it."""
        return orjson.dumps([self.carrier, self.line_status, self.ported, self.time_s])

    @classmethod
    def from_bytes(cls, data: bytes) -> Answer:
        """What `to_bytes` gave."""
        return cls(*orjson.loads(data))


class ProviderFailed(Exception):
    """The provider gave no answer. The text says why, without the number, the URL or the secret."""


class ProviderFaltered(ProviderFailed):
    """The same, and the same question may fare better at once."""


class ProviderBusy(ProviderFailed):
    """The provider asks to be left alone for `pause_s`."""

    def __init__(self, what: str, pause_s: float) -> None:
        super().__init__(what)
        self.pause_s = pause_s


class Provider(Protocol):
    """Answers questions, many at once. To ask again does no harm, but costs again."""

    async def ask(self, e164: str) -> Answer | None:
        """What is known of a valid number; None: the provider does not know it. Raises ProviderFailed.

        The caller bounds the time and cancels what takes longer.
        """
        ...
