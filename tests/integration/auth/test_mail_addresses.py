"""Mail addresses of new users, and of users of earlier releases."""

from __future__ import annotations

import asyncpg

from bossjy.auth.v1 import account_pb2
from bossjy_server.errors import Reason
from bossjy_server.storage.schema import apply_schema, read_init_sql
from tests.integration.auth.conftest import EMAIL, PASSWORD, Opened, User, reason_of, register

MEMBER = account_pb2.ROLE_MEMBER


async def test_an_address_that_looks_like_one_that_is_there_is_refused(owner: User) -> None:
    for address in ("\uff41nn@example.com", "ANN@EXAMPLE.COM"):
        assert await reason_of(owner.call("CreateUser", email=address, role=MEMBER)) is Reason.USER_EXISTS
    for address in ("a\u200bnn@example.com", "ann\u202e@example.com"):
        assert await reason_of(owner.call("CreateUser", email=address, role=MEMBER)) is Reason.INVALID_FIELD
        assert await reason_of(register(owner.auth, "Other", address)) is Reason.INVALID_FIELD
    # At a login they do no harm.
    await owner.login("\uff21n\u200bn@example.com")


async def test_users_of_an_earlier_release(opened: Opened, database_url: str) -> None:
    async with opened() as auth:
        owner = await register(auth)
        made = {}
        for name in ("twin", "wide", "zero"):
            answer = await owner.call("CreateUser", email=f"{name}@example.com", role=MEMBER, password=PASSWORD)
            made[name] = answer.user.user_id
        # As the earlier release wrote them: the key is only the case-folded address.
        old = {
            made["twin"]: "\uff21nn@example.com",
            made["wide"]: "D\u00d3\uff32a@example.com",
            made["zero"]: "e\u200bve@example.com",
        }
        admin = await asyncpg.connect(database_url)
        try:
            for user_id, email in old.items():
                command = "UPDATE bossjy.users SET email = $2, email_key = $3 WHERE user_id = $1"
                await admin.execute(command, user_id, email, email.casefold())
            await admin.execute("COMMENT ON COLUMN bossjy.users.email_key IS NULL")
            await admin.execute("COMMENT ON SCHEMA bossjy IS NULL")
            await apply_schema(database_url, read_init_sql())
            rows = await admin.fetch("SELECT user_id, email_key FROM bossjy.users")
            converts = admin.get_server_version() >= (18,)
            keys = {row["user_id"]: row["email_key"] for row in rows}
            command = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'bossjy.users'::regclass"
            assert await admin.fetchval(command)
        finally:
            await admin.close()
        # Earlier versions than 18 do not fold the case in the same way, so the keys stay, and logins work with them.
        assert keys[made["wide"]] == ("d\u00f3ra@example.com" if converts else old[made["wide"]].casefold())
        assert keys[made["zero"]] == ("eve@example.com" if converts else old[made["zero"]].casefold())
        assert keys[made["twin"]] == "\uff41nn@example.com"  # the owner has today's form already
        for user_id, email in old.items():
            assert (await owner.login(email)).user_id == user_id
        assert (await owner.login(EMAIL)).user_id == owner.user_id
