"""Interface of a provider of live look-ups, for any protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's data about a number. Empty and None: not given."""

    carrier: str
    line_status: str
    ported: bool | None
    time_s: float  # Unix time of the answer

    def to_bytes(self) -> bytes:
        """The cached form. It does not contain the number."""
        return orjson.dumps([self.carrier, self.line_status, self.ported, self.time_s])

    @classmethod
    def from_bytes(cls, data: bytes) -> Answer:
        """The answer in the result of `to_bytes`."""
        return cls(*orjson.loads(data))


class ProviderFailed(Exception):
    """The provider gave no answer. The text says why, without the number, the URL or the secret."""


class ProviderFaltered(ProviderFailed):
    """The same, but an immediate retry may succeed."""


class ProviderBusy(ProviderFailed):
    """The provider asks for a pause of `pause_s`."""

    def __init__(self, what: str, pause_s: float) -> None:
        super().__init__(what)
        self.pause_s = pause_s


class Provider(Protocol):
    """Answers queries, many at once. To repeat one does no harm, but costs again."""

    async def ask(self, e164: str) -> Answer | None:
        """The data about a valid number; None if the provider does not know it. Raises ProviderFailed.

        The caller bounds the time and cancels a query that takes longer.
        """
        ...
