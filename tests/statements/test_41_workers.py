"""Statements 41, 42 and 45 through any worker, with Redis present, absent and slow."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import grpc.aio
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.scopes import Role, scopes_of
from tests import metrics
from tests.e2e.conftest import START_S, ServerProcess, made_server, on_parts
from tests.parts import fresh_database
from tests.performance.faults.network import BadNetwork, redis_over, redis_socket
from tests.ports import free_port
from tests.statements.authority import ADMIN, MEMBER, OWNER, REFUSED, new_key
from tests.statements.conftest import PASSWORD, Person, Refused, registered

pytestmark = pytest.mark.timeout(300)

NOWHERE = "redis://127.0.0.1:1/0"
# In each direction: an answer comes just within the time that the service waits for one.
SLOW_REDIS_S = 0.2
# With this number of connections, both workers have some: the kernel distributes them at random.
CONNECTIONS = 12
KEY_ENDS_WITHIN_S = 5.0


@dataclass(frozen=True)
class Everywhere:
    """Connections to both workers of a server."""

    channels: Sequence[grpc.aio.Channel]

    async def outcomes(self, person: Person, method: str, **fields: Any) -> list[Refused]:
        """The outcomes of a call on every connection."""
        calls = (replace(person, channel=one).outcome(method, **fields) for one in self.channels)
        return await asyncio.gather(*calls)

    async def warm(self, person: Person) -> None:
        """Let every worker read the credentials while they are valid."""
        assert {one.code for one in await self.outcomes(person, "GetMe")} == {"OK"}

    async def refuse(self, person: Person, method: str, **fields: Any) -> None:
        codes = {one.code for one in await self.outcomes(person, method, **fields)}
        assert codes <= REFUSED, f"{method}: {codes}"


@contextmanager
def slowly(redis_url: str) -> Iterator[str]:
    """The same Redis, with slow answers."""
    with asyncio.Runner() as runner:
        loop, network = runner.get_loop(), BadNetwork(redis_socket(redis_url))
        network.delay_s = SLOW_REDIS_S
        runner.run(network.__aenter__())
        serving = threading.Thread(target=loop.run_forever, name="slow-redis")
        serving.start()
        try:
            yield redis_over(redis_url, network.port)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            serving.join()
            runner.run(network.__aexit__())


@pytest.fixture(scope="module", params=["redis", "no_redis", "slow_redis"])
def two_workers(
    parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[ServerProcess]:
    """A server with two workers, whose Redis is available, unavailable, or slow."""
    with ExitStack() as stack:
        redis_url = NOWHERE if request.param == "no_redis" else parts.redis_url
        if request.param == "slow_redis":
            redis_url = stack.enter_context(slowly(redis_url))
        runner = stack.enter_context(asyncio.Runner())
        databases = fresh_database(parts.database_url)
        port = free_port()
        settings = on_parts(runner.run(next_of(databases)), redis_url) | {
            "BOSSJY_LOGIN_FAILURES_PER_ADDRESS": "100000",
            "BOSSJY_METRICS_PORT": str(port),
        }
        server = made_server(tmp_path_factory.mktemp("authority"), "serve", "--workers", "2", **settings)
        try:
            server.start()  # until the first of them serves
            ends = time.monotonic() + START_S
            while metrics.value(port, "bossjy_workers") < 2:
                assert time.monotonic() < ends, server.text()[-2000:]
                time.sleep(0.2)
            yield server
        finally:
            server.end()
            runner.run(next_of(databases))


async def next_of(values: AsyncIterator[str]) -> str:
    return await anext(values, "")


@pytest.fixture
async def everywhere(two_workers: ServerProcess) -> AsyncIterator[Everywhere]:
    async with AsyncExitStack() as stack:
        own = [("grpc.use_local_subchannel_pool", 1)]
        opened = (grpc.aio.insecure_channel(two_workers.target, options=own) for _ in range(CONNECTIONS))
        yield Everywhere([await stack.enter_async_context(one) for one in opened])


@pytest.fixture
async def boss(everywhere: Everywhere) -> Person:
    """The owner of a tenant on the server with two workers."""
    return await registered(Person(everywhere.channels[0]))


def undoing(person: Person, other: Person, session_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The methods that change authority, as called by a user who has just lost it."""
    own = {"user_id": person.user_id}
    return [
        ("UpdateUser", {"user": own | {"role": OWNER}}),
        ("EnableUser", own),
        ("DisableUser", {"user_id": other.user_id}),
        ("ResetPassword", {"user_id": other.user_id}),
        ("RemoveUserSecondFactor", {"user_id": other.user_id}),
        ("CreateUser", {"email": f"{secrets.token_hex(6)}@example.com", "role": MEMBER}),
        ("CreateApiKey", {"display_name": "back door", "scopes": ["phone.read"]}),
        ("UpdateTenant", {"tenant": {"display_name": "Mine"}}),
        ("UpdateMe", {"display_name": "Me"}),
        ("ChangePassword", {"current_password": PASSWORD, "new_password": "a kettle on the windy roof 9"}),
        ("BeginSecondFactor", {"password": PASSWORD}),
        ("RemoveSecondFactor", {"password": PASSWORD}),
        ("RevokeSession", {"session_id": session_id}),
        ("Logout", {"all_sessions": True}),
    ]


@pytest.mark.statement(41)
@pytest.mark.parametrize("ending", ["demoted", "disabled", "logged out"])
async def test_41_a_user_who_lost_authority_changes_none_through_any_worker(
    everywhere: Everywhere, boss: Person, ending: str
) -> None:
    other, victim = await boss.colleague(), await boss.colleague(OWNER)
    session_id = (await victim.login()).session_id
    await everywhere.warm(victim)
    if ending == "demoted":
        await boss.call("UpdateUser", user={"user_id": victim.user_id, "role": ADMIN})
    elif ending == "disabled":
        await boss.call("DisableUser", user_id=victim.user_id)
    else:
        await victim.call("Logout")
    for method, fields in undoing(victim, other, session_id):
        await everywhere.refuse(victim, method, **fields)
    found = (await boss.call("GetUser", user_id=victim.user_id)).user
    assert (found.role, found.display_name) == (ADMIN if ending == "demoted" else OWNER, "")
    assert (found.state == account_pb2.USER_STATE_DISABLED) is (ending == "disabled")
    assert (await other.outcome("GetMe")).code == "OK"


@pytest.mark.statement(41)
@pytest.mark.parametrize("ending", ["revoked", "maker demoted", "maker disabled"])
async def test_41_a_key_that_lost_authority_changes_none_through_any_worker(
    everywhere: Everywhere, boss: Person, ending: str
) -> None:
    maker, other = await boss.colleague(ADMIN), await boss.colleague()
    key = await new_key(maker, sorted(scopes_of(Role.ADMIN)))
    child = await new_key(key.person, ["phone.read"])
    await everywhere.warm(key.person)
    if ending == "revoked":
        await boss.call("RevokeApiKey", api_key_id=key.api_key_id)
    elif ending == "maker demoted":
        await boss.call("UpdateUser", user={"user_id": maker.user_id, "role": MEMBER})
    else:
        await boss.call("DisableUser", user_id=maker.user_id)
    for method, fields in (
        ("CreateUser", {"email": f"{secrets.token_hex(6)}@example.com", "role": MEMBER}),
        ("UpdateUser", {"user": {"user_id": other.user_id, "display_name": "Mine"}}),
        ("ResetPassword", {"user_id": other.user_id}),
        ("DisableUser", {"user_id": other.user_id}),
        ("EnableUser", {"user_id": other.user_id}),
        ("RemoveUserSecondFactor", {"user_id": other.user_id}),
        ("CreateApiKey", {"display_name": "back door", "scopes": ["phone.read"]}),
        ("RevokeApiKey", {"api_key_id": child.api_key_id}),
    ):
        await everywhere.refuse(key.person, method, **fields)
    assert (await other.outcome("GetMe")).code == "OK"


@pytest.mark.statement(41)
async def test_41_other_workers_notice_a_revoked_key_within_five_seconds(everywhere: Everywhere, boss: Person) -> None:
    key = await new_key(boss, ["phone.read"])
    await everywhere.warm(key.person)
    await boss.call("RevokeApiKey", api_key_id=key.api_key_id)
    begun = time.monotonic()
    while any(one.code == "OK" for one in await everywhere.outcomes(key.person, "GetMe")):
        assert time.monotonic() - begun < KEY_ENDS_WITHIN_S
        await asyncio.sleep(0.1)


@pytest.mark.statement(42)
async def test_42_every_worker_applies_the_new_role_immediately(everywhere: Everywhere, boss: Person) -> None:
    victim = await boss.colleague(OWNER)
    others = [replace(await victim.login(), channel=one) for one in everywhere.channels]
    await boss.call("UpdateUser", user={"user_id": victim.user_id, "role": MEMBER})
    renewed = await asyncio.gather(*(one.refreshed() for one in others))
    # One after the other: simultaneous logins count as wrong ones until they are known to be right.
    fresh = [await replace(victim, channel=one).login() for one in everywhere.channels]
    for one in (*renewed, *fresh):
        assert "users.read" not in (await one.call("GetMe")).scopes
        assert (await one.outcome("ListUsers")).reason == "SCOPE_MISSING"


@pytest.mark.statement(45)
@pytest.mark.parametrize("ending", ["DisableUser", "UpdateUser"])
async def test_45_disabling_and_demotion_win_over_a_change_in_flight(
    everywhere: Everywhere, boss: Person, ending: str
) -> None:
    victim = await boss.colleague(ADMIN)
    await everywhere.warm(victim)
    fields: dict[str, Any] = {"user_id": victim.user_id}
    await boss.call(ending, **(fields if ending == "DisableUser" else {"user": fields | {"role": MEMBER}}))
    new = "a kettle on the windy roof 9"
    await everywhere.refuse(victim, "ChangePassword", current_password=PASSWORD, new_password=new)
    if ending == "UpdateUser":
        await victim.login()
