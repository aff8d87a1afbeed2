"""Contact as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """A number, and the known data of its owner. `number_type` is libphonenumber's PhoneNumberType."""

    e164: str
    region: str
    number_type: int
    name: str
    email: str
    other_numbers: tuple[str, ...]
    attributes: dict[str, str]
    carrier: str
    place: str
    created_import_id: str
    changed_import_id: str
    create_time: datetime
    update_time: datetime
    extension: str = ""

    @property
    def etag(self) -> str:
        """Differs after every change: the time of the last one, in microseconds."""
        return format(int(self.update_time.timestamp() * 1_000_000), "x")
