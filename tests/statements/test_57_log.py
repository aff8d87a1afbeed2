"""Statements 57 and 59: the log of refused calls is bounded, and contains no number and no secret from any field."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from bossjy.phone.v1 import phone_service_pb2
from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.rpc.method import Method, methods_of
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE
from tests.e2e.conftest import ServerProcess, made_server, on_parts
from tests.leaks import digits_of
from tests.parts import fresh_database
from tests.statements.conftest import PASSWORD, Person, registered

LINE_BYTES = 300
LINES_A_MINUTE = 60
METHODS = [method for service in (PHONE, AUTH, CONTACTS, IMPORTS) for method in methods_of(service)]
# These end the session or the user that the other calls need, so they come last.
ENDING = {"Logout", "DisableUser", "DeleteUser", "RevokeSession", "ChangePassword", "RevokeApiKey"}
SECRETS = (
    "correct.horse.battery.staple.9",
    f"bjg_{secrets.token_urlsafe(32)}",
    f"bjk_acme-x7k2p9.{secrets.token_hex(10)}.{secrets.token_urlsafe(32)}",
    f"bjr_{secrets.token_urlsafe(40)}",
    f"eyJ{secrets.token_hex(8)}.eyJ{secrets.token_hex(8)}.{secrets.token_hex(8)}",
    "abcd-efgh-jkmn-pqrs",
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
)
KEYS = (
    "x-request-id",
    "user-agent",
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-tenant-id",
    "tracestate",
    "grpc-x",
)


async def served_with(parts: EmbeddedParts, folder: Path, **settings: str) -> AsyncIterator[ServerProcess]:
    async for url in fresh_database(parts.database_url):
        server = made_server(folder, **on_parts(url, parts.redis_url), **settings)
        try:
            await asyncio.to_thread(server.start)
            yield server
        finally:
            await asyncio.to_thread(server.end)


@pytest.fixture
async def server(parts: EmbeddedParts, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server with all defaults."""
    async for one in served_with(parts, tmp_path):
        yield one


@pytest.fixture
async def open_server(parts: EmbeddedParts, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server that logs and traces every call, and throttles no guess."""
    many = {f"BOSSJY_LOGIN_FAILURES_PER_{name}": "100000" for name in ("ACCOUNT", "ADDRESS", "TENANT")}
    receiver = {"BOSSJY_OTLP_ENDPOINT": "http://127.0.0.1:1", "BOSSJY_TRACE_RATIO": "1"}
    every = {"BOSSJY_LOG_REFUSALS_PER_MINUTE": "0", "BOSSJY_LOG_LEVEL": "debug", "BOSSJY_LOG_CONSOLE": "debug"}
    async for one in served_with(parts, tmp_path, **many, **receiver, **every):
        yield one


def lines_of(server: ServerProcess) -> list[str]:
    """All lines of its log; the server must have ended, because a thread writes the log."""
    files = sorted((server.data_dir / "logs").iterdir())
    return [line for file in files for line in file.read_text().splitlines()]


async def sent(channel: grpc.aio.Channel, path: str, raw: bytes, metadata: Any, *, streamed: bool = False) -> str:
    """The code of a call of bytes."""

    async def once() -> AsyncIterator[bytes]:
        yield raw

    untyped: Any = channel
    try:
        if streamed:
            async for _ in untyped.stream_stream(path)(once(), metadata=metadata, timeout=5):
                pass
        else:
            async for _ in untyped.unary_stream(path)(raw, metadata=metadata, timeout=5):
                pass
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


@pytest.mark.statement(57)
async def test_57_refused_calls_write_a_short_line_each_and_then_a_summary(server: ServerProcess) -> None:
    validate, stream = (f"/{PHONE.full_name}/{name}" for name in ("ValidateNumber", "StreamValidateNumbers"))
    async with grpc.aio.insecure_channel(server.target) as channel:
        owner = await registered(Person(channel))
        known = (("authorization", f"Bearer {owner.access}"),)
        arrow = phone_service_pb2.StreamValidateNumbersRequest(arrow_ipc=b"not arrow").SerializeToString()
        too_long = phone_service_pb2.ValidateNumberRequest(phone_number="1" * 5000).SerializeToString()
        kinds: list[tuple[str, bytes, Any, bool]] = [
            (validate, b"", (), False),
            (validate, b"", (("authorization", "Bearer eyJhbGciOiJFUzI1NiJ9.body.signature"),), False),
            (validate, b"", (*known, *known), False),
            (validate, b"\xff\xff", known, False),
            (validate, b"\x0a\x03\xff\xfe\xfd", known, False),
            (validate, too_long, known, False),
            (stream, arrow, known, True),
            (stream, b"\xff", known, True),
            ("/nobody.knows/This", b"", known, False),
            (f"/{AUTH.full_name}/GetUser", b"\x0a\x04none", known, False),
            (f"/{AUTH.full_name}/ListUsers", b"\x1a\x01(", known, False),
            (f"/{AUTH.full_name}/ListUsers", b"\x12\x04!!!!", known, False),
        ]  # fmt: skip
        for path, raw, metadata, streamed in kinds:
            assert await sent(channel, path, raw, metadata, streamed=streamed) not in ("OK", "INTERNAL"), path
        for _ in range(400):
            entries = (("authorization", f"Bearer {secrets.token_hex(16)}.body.signature"), ("x-request-id", "x" * 64))
            assert await sent(channel, validate, b"", entries) == "UNAUTHENTICATED"
        for _ in range(70):  # each call of the known caller has a line
            assert (await owner.outcome("GetMe")).code == "OK"
    assert await asyncio.to_thread(server.terminate) == 0
    lines = lines_of(server)
    parsed = [json.loads(line) for line in lines]
    assert not [one for one in parsed if one["level"] == "error" or "traceback" in one]
    refused = [line for line, one in zip(lines, parsed, strict=True) if one["event"] == "call" and one["code"] != "OK"]
    assert len(kinds) <= len(refused) <= 3 * LINES_A_MINUTE  # of two or three minutes, on a slow machine
    assert max(len(line.encode()) for line in refused) <= LINE_BYTES
    counted: Counter[str] = Counter()
    for one in parsed:
        if one["event"] == "calls summarised":
            assert one["address"] == "127.0.0.1"
            counted.update(one["reasons"])
    assert counted.total() + len(refused) == len(kinds) + 400
    assert counted["TOKEN_INVALID"] > 200
    assert sum(one.get("method", "").endswith("/GetMe") and one["code"] == "OK" for one in parsed) == 70


@pytest.mark.statement(57)
async def test_57_wrong_logins_do_not_fill_the_audit_log(open_server: ServerProcess) -> None:
    async with grpc.aio.insecure_channel(open_server.target) as channel:
        owner = await registered(Person(channel))
        for number in range(40):
            fields: dict[str, Any] = {
                "tenant_id": owner.tenant_id,
                "email": f"a{number}@example.com",
                "password": PASSWORD,
            }
            assert (await Person(channel).outcome("Login", **fields)).reason == "LOGIN_REFUSED"
        asked: dict[str, Any] = {"filter": 'action = "auth.login" AND outcome = "UNAUTHENTICATED"', "page_size": 100}
        # Their number is written when the minute is over, and when the server ends.
        assert await asyncio.to_thread(open_server.terminate) == 0
        await asyncio.to_thread(open_server.start)
        events = (await owner.call("ListAuditEvents", **asked)).events
    assert sum(one.times for one in events) == 40
    assert len(events) <= 13  # five, and one in each minute that the forty took
    assert {one.address for one in events} == {"127.0.0.0/24"}


def with_texts(message: Message, text: str, depth: int = 0) -> None:
    """Set every field of text or bytes, at any depth, to `text`."""
    for field in message.DESCRIPTOR.fields:
        if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            value: Any = text if field.type == FieldDescriptor.TYPE_STRING else text.encode()
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
        elif field.message_type is not None and depth < 4:
            if field.message_type.GetOptions().map_entry:
                continue
            inner = getattr(message, field.name)
            with_texts(inner.add() if field.is_repeated else inner, text, depth + 1)


def text_fields(message: Message) -> Iterator[str]:
    """The names of the text fields of the message itself."""
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            yield field.name


def requests(method: Method, text: str) -> Iterator[bytes]:
    """Requests with the text in all fields together, and in each single field."""
    message = method.request_class()
    with_texts(message, text)
    yield message.SerializeToString()
    for name in text_fields(message):
        yield method.request_class(**{name: text}).SerializeToString()


class Numbers:
    """Phone numbers that no two calls share, in the forms that people type."""

    def __init__(self) -> None:
        self._next = 13_866_600_000
        self.digits: set[str] = set()

    def __call__(self, form: int) -> str:
        self._next += 1
        plain = str(self._next)
        self.digits.add(plain)
        spaced = f"{plain[:3]} {plain[3:7]} {plain[7:]}"
        dashed = spaced.replace(" ", "-")
        return (plain, f"+86{plain}", dashed, spaced, f"tel-{plain}", plain.replace("", ".")[1:-1])[form % 6]


@pytest.mark.statement(59)
@pytest.mark.timeout(240)
async def test_59_nothing_of_any_field_reaches_the_log(open_server: ServerProcess) -> None:
    numbers, form = Numbers(), 0
    async with grpc.aio.insecure_channel(open_server.target) as channel:
        owner = await registered(Person(channel), numbers(1))
        second = await registered(Person(channel), numbers(2))
        key = await owner.call("CreateApiKey", display_name=numbers(0), scopes=["phone.read"])
        made = (owner.access, owner.refresh, second.refresh, key.secret, PASSWORD)
        for method in sorted(METHODS, key=lambda one: one.name in ENDING):
            for text in (numbers(form), numbers(form + 1), *SECRETS):
                form += 1
                entry = numbers(form) if text in numbers.digits else text
                metadata = (("authorization", f"Bearer {owner.access}"), *((key, entry) for key in KEYS))
                for raw in requests(method, text):
                    await sent(channel, method.path, raw, metadata, streamed=method.client_streaming)
        # As credentials, as a method's name, and as a trace id.
        for text in (numbers(0), numbers(4), *SECRETS, *made):
            for entries in (
                (("authorization", text),),
                (("authorization", f"Bearer {text}"), ("authorization", text)),
                (("x-request-id", text[:64].replace(" ", "-")), ("authorization", f"Bearer {second.access}")),
                (("traceparent", f"00-{''.join(filter(str.isdigit, text)):0>32.32}-{'b' * 16}-01"),),
            ):
                await sent(channel, f"/{AUTH.full_name}/GetMe", b"", entries)
            await sent(channel, f"/{text[:60].replace(' ', '')}/{text[:60].replace(' ', '')}", b"", ())
            await replace(owner, access="").outcome("Login", tenant_id=text, email=text, password=text)
        for tenant in (owner, second):
            await tenant.outcome("GetTenant")
    assert await asyncio.to_thread(open_server.terminate) == 0
    written = [path for path in open_server.data_dir.rglob("*.log*") if path.is_file()] + [open_server.output]
    assert len(written) >= 2
    for path in written:
        text = path.read_text("utf-8", errors="replace")
        assert not [secret for secret in (*SECRETS, *made) if secret in text], path
        runs = {digits_of(run) for run in _runs(text.encode("utf-8", "replace"))}
        found = [digits for digits in numbers.digits if any(digits in run for run in runs)]
        assert not found, path


def _runs(text: bytes) -> Iterator[bytes]:
    """Runs of digits as people write numbers: with a space, dot, dash, slash or bracket between them."""
    return (match[0] for match in re.finditer(rb"\d(?:[ ().\-/_]{0,2}\d){6,}", text))
