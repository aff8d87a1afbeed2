"""Client certificates as service accounts: over real TLS, and bound by an operator."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import grpc.aio
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from bossjy.phone.v1 import phone_service_pb2
from bossjy.phone.v1.phone_service_pb2_grpc import PhoneServiceStub
from bossjy_server.app import running
from bossjy_server.auth.credentials.certificates import NewBinding, bind, binding_lines, unbind
from bossjy_server.config import Settings, read_settings
from bossjy_server.embedded.system import free_port
from bossjy_server.errors import Reason
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.roles import database_of, role_for
from tests.front import front_settings
from tests.integration.auth.conftest import EMAIL, PASSWORD, Clock, User, reason_of
from tests.integration.auth.test_operator import run
from tests.integration.rpc.certificates import Authority, Signed
from tests.service import data_folder

URI = "spiffe://acme/worker"


@dataclass(frozen=True)
class Secured:
    """A server that accepts only clients of one authority, with a tenant and its service user."""

    settings: Settings
    authority: Authority
    tenant_id: str = ""
    owner: tuple[tuple[str, str], ...] = ()
    user_id: str = ""

    @asynccontextmanager
    async def channel(self, client: Signed) -> AsyncIterator[grpc.aio.Channel]:
        credentials = grpc.ssl_channel_credentials(self.authority.certificate, client.key, client.certificate)
        async with grpc.aio.secure_channel(f"localhost:{self.settings.server.port}", credentials) as channel:
            yield channel

    async def me(self, client: Signed, metadata: Sequence[tuple[str, str]] = ()) -> pb.GetMeResponse:
        async with self.channel(client) as channel:
            answer: pb.GetMeResponse = await AuthServiceStub(channel).GetMe(
                pb.GetMeRequest(), metadata=tuple(metadata), timeout=10
            )
            return answer

    async def refusal(self, client: Signed, metadata: Sequence[tuple[str, str]] = ()) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.me(client, metadata)
        return caught.value.code(), caught.value.details() or ""

    async def ends(self, client: Signed) -> None:
        """Wait until the certificate is refused; within five seconds, and more on a busy machine."""
        async with asyncio.timeout(30):
            while True:
                try:
                    await self.me(client)
                except grpc.aio.AioRpcError:
                    break
                await asyncio.sleep(0.2)
        assert (await self.refusal(client))[0] is grpc.StatusCode.UNAUTHENTICATED

    async def operate(self, *words: str) -> str:
        """Run `bossjy-server services …`."""
        folder = self.settings.process.data_dir
        done = await asyncio.to_thread(run, folder, "services", *words, database_url=self.settings.database.url)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def bound(self, name: str, scopes: str = "phone.read") -> str:
        """Bind a name to the service user. Returns the id of the API key."""
        words = ("--tenant", self.tenant_id, "--user", self.user_id, "--scopes", scopes, "--certificate", name)
        return (await self.operate("bind", *words)).split()[-1]


@pytest.fixture
async def secured(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Secured]:
    authority = Authority()
    certificate, key = authority.sign("localhost").write(tmp_path)
    (tmp_path / "clients.pem").write_bytes(authority.certificate)
    settings = read_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BOSSJY_DATA_DIR": str(data_folder(tmp_path)),
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_REGISTRATION": "open",
            "BOSSJY_LOG_CONSOLE": "off",
            "BOSSJY_DATABASE_POOL": "4",
            "BOSSJY_TLS_CERTIFICATE": str(certificate),
            "BOSSJY_TLS_KEY": str(key),
            "BOSSJY_TLS_CLIENT_CA": str(tmp_path / "clients.pem"),
        }
        | front_settings()
    )
    async with running(settings):
        server = Secured(settings, authority)
        async with server.channel(authority.sign("owner")) as channel:
            stub = AuthServiceStub(channel)
            made = await stub.Register(
                pb.RegisterRequest(tenant_display_name="Acme", email=EMAIL, password=PASSWORD), timeout=10
            )
            owner = (("authorization", f"Bearer {made.tokens.access_token}"),)
            new = pb.CreateUserRequest(email="worker@example.com", role=account_pb2.ROLE_SERVICE)
            service = await stub.CreateUser(new, metadata=owner, timeout=10)
        yield Secured(settings, authority, made.tenant.tenant_id, owner, service.user.user_id)


async def test_a_bound_certificate_is_the_service_account_with_its_scopes(secured: Secured) -> None:
    worker = secured.authority.sign("worker", URI)
    assert (await secured.refusal(worker))[0] is grpc.StatusCode.UNAUTHENTICATED
    api_key_id = await secured.bound(URI, "phone.read, contacts.read")
    me = await secured.me(worker)
    assert (me.api_key.created_by, me.tenant.tenant_id) == (secured.user_id, secured.tenant_id)
    assert (list(me.scopes), me.api_key_id) == (["contacts.read", "phone.read"], api_key_id)
    async with secured.channel(worker) as channel:
        number = phone_service_pb2.ValidateNumberRequest(phone_number="+442083661177")
        assert (await PhoneServiceStub(channel).ValidateNumber(number, timeout=10)).valid
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await AuthServiceStub(channel).ListUsers(pb.ListUsersRequest(), timeout=10)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        keys = (await AuthServiceStub(channel).ListApiKeys(pb.ListApiKeysRequest(), metadata=secured.owner)).api_keys
        assert [(one.display_name, one.created_by) for one in keys] == [(URI, secured.user_id)]
        assert keys[0].last_use_time.seconds > 0
    # A certificate of the same authority that is not bound, and one that has the name in another field.
    for other in (("worker",), ("x", URI + "/2"), (URI[:20],), ("CN=worker", "dns:worker")):
        assert (await secured.refusal(secured.authority.sign(*other)))[0] is grpc.StatusCode.UNAUTHENTICATED
    assert (await secured.operate("list")).split()[:3] == [URI, secured.tenant_id, secured.user_id]


async def test_names_in_metadata_authenticate_nobody(secured: Secured) -> None:
    await secured.bound(URI)
    stranger = secured.authority.sign("stranger", "spiffe://acme/stranger")
    claims = [("x-forwarded-client-cert", f"URI={URI}"), ("x509_common_name", "worker"), ("peer_uri", URI)]
    code, text = await secured.refusal(stranger, claims)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "bound to no service account" in text
    # If the entry exists, only it counts: the certificate does not replace an invalid entry.
    worker = secured.authority.sign("worker", URI)
    assert (await secured.refusal(worker, [("authorization", "Bearer nothing")]))[1].startswith("the token or API key")
    assert (await secured.me(worker, secured.owner)).user.email == EMAIL


async def test_two_uris_are_refused_and_no_uri_is_the_common_name(secured: Secured) -> None:
    await secured.bound(URI)
    await secured.bound("CN=worker")
    both = secured.authority.sign("worker", URI, "spiffe://acme/other")
    assert "more than one URI" in (await secured.refusal(both))[1]
    assert (await secured.me(secured.authority.sign("worker"))).api_key.created_by == secured.user_id
    # The common name counts only if there is no URI.
    other = secured.authority.sign("worker", "spiffe://acme/other")
    assert (await secured.refusal(other))[0] is grpc.StatusCode.UNAUTHENTICATED
    code, text = await secured.refusal(secured.authority.sign("wörker"))
    assert (code, text[:25]) == (grpc.StatusCode.UNAUTHENTICATED, "this method needs credent")


async def test_it_ends_in_time_in_every_way(secured: Secured) -> None:
    worker = secured.authority.sign("worker", URI)
    api_key_id = await secured.bound(URI)
    await secured.me(worker)
    async with secured.channel(worker) as channel:
        stub = AuthServiceStub(channel)
        await stub.RevokeApiKey(pb.RevokeApiKeyRequest(api_key_id=api_key_id), metadata=secured.owner)
        assert (await secured.refusal(worker))[0] is grpc.StatusCode.UNAUTHENTICATED
        assert "has ended" in await secured.operate("list")
        await secured.operate("unbind", "--certificate", URI)
        assert not (await secured.operate("list")).strip()
        await secured.bound(URI)
        await secured.me(worker)
        await secured.operate("unbind", "--certificate", URI)
        await secured.ends(worker)
        events = (await stub.ListAuditEvents(pb.ListAuditEventsRequest(), metadata=secured.owner)).events
    assert [(one.action, one.actor) for one in events if "certificate" in one.action] == [
        ("auth.unbind_certificate", "operator"),
        ("auth.bind_certificate", "operator"),
        ("auth.unbind_certificate", "operator"),
        ("auth.bind_certificate", "operator"),
    ]


@pytest.fixture
async def as_owner(database_url: str) -> AsyncIterator[Database]:
    """The database with the rights of the tables' owner, as for the operator's commands."""
    database = await Database.open(database_url, role="none", min_size=1, max_size=2)
    yield database
    await database.close()


async def test_users_scopes_and_names_that_can_be_bound(owner: User, as_owner: Database, clock: Clock) -> None:
    service = (await owner.call("CreateUser", email="s@example.com", role=account_pb2.ROLE_SERVICE)).user.user_id

    def new(**changes: Any) -> NewBinding:
        values = {"name": URI, "tenant_id": owner.tenant_id, "user_id": service, "scopes": frozenset({"phone.read"})}
        return NewBinding(**{**values, "days": 1, **changes})

    wrongs: list[dict[str, Any]] = [
        {"user_id": owner.user_id},
        {"scopes": frozenset({"users.write"})},
        {"scopes": frozenset()},
    ]
    for wrong in wrongs:
        assert await reason_of(bind(as_owner, new(**wrong))) is Reason.INVALID_FIELD
    for missing in ({"user_id": "nobody"}, {"tenant_id": "nobody"}):
        assert await reason_of(bind(as_owner, new(**missing))) is Reason.RESOURCE_NOT_FOUND
    assert await binding_lines(as_owner) == []
    key = await bind(as_owner, new(), clock)
    caller = await owner.auth.authenticator.certified(URI)
    assert (caller.user_id, caller.api_key_id) == (service, key.api_key_id)
    assert await owner.auth.authenticator.certified(URI) is caller
    # A name is bound to one account in all tenants until it is unbound; a refused binding leaves no key.
    assert await reason_of(bind(as_owner, new())) is Reason.INVALID_FIELD
    assert len((await owner.call("ListApiKeys")).api_keys) == 1
    clock.ahead_s = 86_401
    assert await reason_of(owner.auth.authenticator.certified(URI)) is Reason.CREDENTIALS_MISSING
    assert (await binding_lines(as_owner, clock))[0].endswith("has ended: unbind it")
    await unbind(as_owner, URI, clock)
    assert await reason_of(unbind(as_owner, URI)) is Reason.RESOURCE_NOT_FOUND
    assert await reason_of(owner.auth.authenticator.certified(URI)) is Reason.CREDENTIALS_MISSING


async def test_it_ends_with_its_user(owner: User, as_owner: Database) -> None:
    service = (await owner.call("CreateUser", email="s@example.com", role=account_pb2.ROLE_SERVICE)).user.user_id
    await bind(as_owner, NewBinding(URI, owner.tenant_id, service, frozenset({"phone.read"}), 1))
    await owner.auth.authenticator.certified(URI)
    await owner.call("DisableUser", user_id=service)
    assert await reason_of(owner.auth.authenticator.certified(URI)) is Reason.CREDENTIALS_MISSING
    new = NewBinding(URI, owner.tenant_id, service, frozenset({"phone.read"}), 1)
    assert await reason_of(bind(as_owner, new)) is Reason.INVALID_FIELD


@pytest.mark.parametrize("command", ["INSERT INTO bossjy.certificates VALUES ('CN=x', 'a', 'b')",
                                     "UPDATE bossjy.certificates SET name = 'CN=x'",
                                     "DELETE FROM bossjy.certificates"])  # fmt: skip
async def test_the_service_itself_cannot_bind(database: Database, command: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.system() as connection:
            await connection.execute(command)


async def test_the_command_needs_the_owner_of_the_tables(
    owner: User, as_owner: Database, database_url: str, tmp_path: Path
) -> None:
    service = (await owner.call("CreateUser", email="s@example.com", role=account_pb2.ROLE_SERVICE)).user.user_id
    name = f"bossjy_test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(database_url)
    try:
        await admin.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{name}'; GRANT {role_for(database_of(database_url))} TO {name}"
        )
        parts = urlsplit(database_url)
        url = urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
        words = ("--tenant", owner.tenant_id, "--user", service, "--scopes", "phone.read", "--certificate", URI)
        done = await asyncio.to_thread(run, tmp_path, "services", "bind", *words, database_url=url)
        await admin.execute(f"DROP ROLE {name}")
    finally:
        await admin.close()
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "set DATABASE_ADMIN_URL" in done.stderr
    assert await binding_lines(as_owner) == []


@pytest.mark.parametrize(
    "words",
    [
        ("services", "bind", "--tenant", "t", "--user", "u", "--scopes", "phone.read", "--certificate", "worker"),
        ("services", "unbind", "--certificate", "CN="),
        ("services", "unbind", "--certificate", "spiffe://" + "a" * 192),
    ],
)
def test_an_invalid_name_is_reported_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--certificate must be a URI" in done.stderr


@pytest.mark.parametrize("days", ["0", "3651", "x"])
def test_days_are_bounded(tmp_path: Path, days: str) -> None:
    words = ("--tenant", "t", "--user", "u", "--scopes", "phone.read", "--certificate", "CN=x", "--days", days)
    done = run(tmp_path, "services", "bind", *words)
    assert done.returncode == 2
    assert "a whole number from 1 to 3650" in done.stderr
