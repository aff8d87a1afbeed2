"""Values that reach deep into a method: real ids and page tokens, filters, times at the edges of the calendar."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

TIMES = (
    "0001-01-01",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00-23:59",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T24:00:00Z",
    "10000-01-01T00:00:00Z",
    "0000-01-01",
    "-0044-03-15",
    "0044-03-15 BC",
    "infinity",
    "-infinity",
    "now",
    "epoch",
    "2016-12-31T23:59:60Z",
    "2026-02-30",
    "2026-W53-7",
    "2026-01-31T24:00:00",
    "2026-01-31T12:00:00.1234567891+23:59:59.999999",
    "2026-01-31T12:00:00+24:00",
    "2026-01-31 12:00:00",
    "20260131",
    "2026-01-31",
    "12:30",
    "NaN",
    "1e400",
    "２０２６-01-31",
)
FIELDS = (
    "role", "state", "email", "display_name", "create_time", "update_time", "event_time", "actor", "action", "resource",
    "outcome", "created_by", "file_name", "region", "region_code", "type", "number_type", "carrier", "place", "name",
    "created_import", "changed_import_id", "attributes.k", 'attributes."a b"', "attributes.",
    "nothing", "password_hash",
)  # fmt: skip
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", ":", "==", "~")
WORDS = (
    "*", "admin", "OWNER", "MOBILE", "OPEN", "active", "CN", "张三", "a@b.cn", "imp_1", "-1", "1e999", "NULL", "AND",
    "OR", "NOT", "\\", "%", "_", "é\u0301", "\u202e", "9" * 100,
)  # fmt: skip
_DAMAGE = ("", "(", ")", '"', "'", "\\", "\0", " AND ", ":", "-", "é")
_ORDERS = ("", "phone_number", "create_time desc", "update_time  desc", "name", "a,b", "\0")
IDS = ("user_id", "session_id", "api_key_id", "import_id", "parent_import_id", "tenant_id", "request_id", "token")
SECONDS = (0, 1, -1, 2**31, -62135596800, -62135596801, 253402300799, 253402300800, 2**63 - 1, -(2**63), 4_000_000_000)
NANOS = (0, 1, -1, 999_999_999, 1_000_000_000, 2**31 - 1, -(2**31))
NUMBERS = ("+8613800000000", "+442079460031", "+1" + "9" * 18, "+19", "+0123")


@dataclass
class Known:
    """The data of a tenant: ids by the name of their field, and requests of lists with a real page token."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    pages: list[tuple[str, bytes]] = field(default_factory=list)  # name of the method, request
    tokens: list[str] = field(default_factory=list)


def honest(name: str, rng: random.Random, known: Known) -> dict[str, Any]:
    """Request fields that a method accepts; empty if it needs none, or if they cannot be used twice."""
    number, one = rng.choice(NUMBERS[:2]), {kind: rng.choice(ids) for kind, ids in known.ids.items()}
    texts = {"phone_number": number, "default_region": "CN"}
    user, job = {"user_id": one["user_id"]}, {"import_id": one["import_id"]}
    made: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("ValidateNumber", "FormatNumber", "ExplainNumber", "LookupNumber"), texts),
        "BatchValidateNumbers": {"phone_numbers": NUMBERS},
        "StreamValidateNumbers": {"texts": {"phone_numbers": NUMBERS}},
        "MatchNumbers": {"first_number": number, "second_number": number},
        "FindNumbers": {"text": f"call {number} or 010 1234 5678", "view": rng.choice((1, 2))},
        "FormatPartialNumber": {"phone_number": number, "region_code": "CN", "cursor": rng.randrange(20)},
        "ValidateShortNumber": {"phone_number": "110", "region_code": "CN"},
        "FindRegions": {"phone_number": number},
        "GetRegion": {"region_code": "CN"},
        "DiffNumberingPlans": {"from_version": "9.0.38"},
        "IntrospectToken": {"token": one["token"]},
        "RevokeApiKey": {"api_key_id": one["api_key_id"]},
        "CreateApiKey": {"display_name": "k", "scopes": ["phone.read"]},
        "CreateUser": {"email": f"{rng.getrandbits(50)}@example.org", "role": 1},
        **dict.fromkeys(("GetUser", "EnableUser", "ResetPassword", "RemoveUserSecondFactor"), user),
        "UpdateUser": {"user": {"user_id": one["user_id"], "display_name": "n"}},
        "UpdateTenant": {"tenant": {"display_name": "n"}},
        "UpdateMe": {"display_name": "n"},
        "GetContact": {"phone_number": number},
        "DeleteContact": {"phone_number": number, "allow_missing": True},
        "EraseContacts": {"phone_numbers": ["+442079460045"], "purpose": "asked"},
        **dict.fromkeys(("GetImport", "CancelImport", "WatchImport", "ExportRejectedRows"), job),
        **dict.fromkeys(("ListDuplicateRows", "ExportDuplicateRows", "ListChangedContacts"), job),
        **dict.fromkeys(("ListRejectedRows", "ListRevertConflicts"), job),
        "RevertImport": {**job, "validate_only": True},
        "PreviewImport": {"sample": b"phone,name\n+442079460031,a\n", "complete": True},
    }
    return made.get(name, {})


def any_filter(rng: random.Random, depth: int = 0) -> str:
    """A filter of the grammar; one of four is damaged."""
    text = _expression(rng, depth)
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        place = rng.randrange(len(text) + 1)
        text = (
            text[:place] + rng.choice(("", "(", ")", '"', "'", "\\", "\0", " AND ", ":", "-", "é")) + text[place + 1 :]
        )
    return text


def _expression(rng: random.Random, depth: int) -> str:
    kind = rng.randrange(9 if depth < 5 else 4)
    if kind < 3:
        return f"{rng.choice(FIELDS)}{rng.choice(('', ' '))}{rng.choice(OPERATORS)} {_value(rng)}"
    if kind == 3:
        return _value(rng)
    if kind == 4:
        return f"NOT {_expression(rng, depth + 1)}"
    if kind == 5:
        return f"-({_expression(rng, depth + 1)})"
    joint = rng.choice((" AND ", " OR "))
    return joint.join(_expression(rng, depth + 1) for _ in range(rng.choice((2, 2, 3, 8))))


def _value(rng: random.Random) -> str:
    text = rng.choice(TIMES + WORDS)
    quote = rng.choice(("", '"', "'"))
    if quote and rng.random() < 0.3:
        text = text.replace("a", f"\\{quote}")
    return f"{quote}{text}{quote}"


def any_page_token(rng: random.Random, known: Known) -> str:
    """A real page token of any list, unchanged or changed."""
    if not known.tokens or rng.random() < 0.1:
        return rng.choice(("AAAA", "=", "é", "x" * 513, "x" * 100_000, "\0", "AQ", "7", "eyJhIjoxfQ"))
    token = rng.choice(known.tokens)
    place = rng.randrange(len(token))
    return rng.choice(
        (
            token,
            token[:place],
            token + token,
            token[:place] + rng.choice("AB-_=é ") + token[place + 1 :],
            token + "=",
            token[::-1],
        )
    )


def named(name: str, rng: random.Random, known: Known) -> str | int | None:
    """A value that fits the name of a field; None if the name implies no value."""
    makers: dict[str, Callable[[], str | int]] = {
        "filter": lambda: any_filter(rng),
        "page_token": lambda: any_page_token(rng, known),
        "page_size": lambda: rng.choice((0, 1, 1, 2, 2, 50, 500, 501, 1000, 2**31 - 1, -1, -(2**31))),
        "order_by": lambda: rng.choice(
            ("", "phone_number", "create_time desc", "update_time  desc", "name", "a,b", "\0")
        ),
        "language": lambda: rng.choice(("en", "zh-Hant", "zh-hant", "x" * 35, "-", "de-DE-1996", "no", "\0")),
        "phone_number": lambda: rng.choice(NUMBERS),
        "phone_numbers": lambda: rng.choice(NUMBERS),
        "email": lambda: rng.choice(("a@b.cn", f"{rng.getrandbits(40)}@example.org", "@", "\0@\0", "A@" + "b" * 300)),
        "etag": lambda: rng.choice(("r1", "", "\0", "r" + "9" * 60)),
        "scopes": lambda: rng.choice(("phone.read", "users.write", "nothing.here", "\0")),
        "paths": lambda: rng.choice(("display_name", "role", "language", "a.b.c", "", "*", "\0", "displayName")),
        "default_region": lambda: rng.choice(("CN", "cn", "", "001", "ZZ", "\0\0")),
        "first_region_code": lambda: rng.choice(("CN", "cn", "", "001", "ZZ", "\0\0")),
        "language_code": lambda: rng.choice(("en", "zh-Hant", "x" * 35, "-", "no", "\0")),
        "password": lambda: rng.choice(("wrong", "\0" * 20, "x" * 1024, "ﬀ" * 300)),
        "refresh_token": lambda: rng.choice(("bjr_x", "é.é", "\0", "a.b.c", "bjr_" + "A" * 500)),
        "encoding": lambda: rng.choice(("utf-8", "gb18030", "idna", "rot13", "hex", "undefined", "\0")),
    }
    if name in makers:
        return makers[name]()
    if name in IDS:
        return rng.choice([*known.ids.get(name, []), "", "x" * 64, "' OR 1=1", "\0"])
    return None


def fill_time(message: Message, rng: random.Random) -> None:
    """Set a google.protobuf.Timestamp or Duration to an edge."""
    message.seconds = rng.choice(SECONDS)  # type: ignore[attr-defined]
    message.nanos = rng.choice(NANOS)  # type: ignore[attr-defined]
