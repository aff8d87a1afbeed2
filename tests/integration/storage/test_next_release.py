"""Downgrades: a release works with the tables of the next one, changes nothing, and refuses those of later ones."""

from __future__ import annotations

import re

import asyncpg
import pytest

from bossjy_server.errors import StartError
from bossjy_server.storage.options import DatabaseOptions
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.schema import ServiceLogin, apply_schema, read_init_sql, release_of
from bossjy_server.storage.setup import open_for_service
from tests.integration.storage.test_released_schemas import RELEASED
from tests.parts import service_url

INIT_SQL = read_init_sql()
RELEASE = release_of(INIT_SQL)
_MARK = "SELECT obj_description('bossjy'::regnamespace)"


def later(by: int) -> str:
    """The definition of a later release: one more column."""
    text = INIT_SQL.replace(
        f"-- Release of the definition: {RELEASE}\n", f"-- Release of the definition: {RELEASE + by}\n"
    )
    assert release_of(text) == RELEASE + by
    return text + "\nALTER TABLE bossjy.tenants ADD COLUMN IF NOT EXISTS colour text;\n"


async def apply(url: str, text: str) -> bool:
    return await apply_schema(url, text, service=ServiceLogin(service_url(url), make=True))


async def test_the_former_release_starts_and_keeps_the_definition(database_url: str) -> None:
    assert await apply(database_url, later(1)) is False
    owner = await asyncpg.connect(database_url)
    try:
        mark = await owner.fetchval(_MARK)
        assert f" release:{RELEASE + 1} " in mark
        assert await apply(database_url, INIT_SQL) is True
        assert await owner.fetchval(_MARK) == mark
        await owner.execute("INSERT INTO bossjy.tenants (tenant_id, display_name, colour) VALUES ('acme', 'A', 'red')")
    finally:
        await owner.close()
    # Without the owner's URL, as servers start.
    options = DatabaseOptions(url=service_url(database_url), admin_url=service_url(database_url), pool=2)
    database = await open_for_service(options)
    assert any("next release" in remark for remark in database.remarks)
    await database.close()


async def test_a_login_that_lost_its_role_gets_it_again_and_the_definition_stays(database_url: str) -> None:
    await apply(database_url, later(1))
    owner = await asyncpg.connect(database_url)
    try:
        mark = await owner.fetchval(_MARK)
        role = mark.partition(" role:")[2]
        login = service_url(database_url).partition("//")[2].partition(":")[0]
        await owner.execute(f'REVOKE "{role}" FROM "{login}"; REVOKE USAGE ON SCHEMA bossjy FROM "{role}"')
        assert await apply(database_url, INIT_SQL) is True
        assert await owner.fetchval(_MARK) == mark
    finally:
        await owner.close()
    database = await Database.open(service_url(database_url), min_size=1, max_size=1)
    await database.close()


async def test_a_definition_after_the_next_one_is_refused(database_url: str) -> None:
    await apply(database_url, later(2))
    with pytest.raises(StartError, match=f"definition {RELEASE + 2}.*start a later release, or restore a backup"):
        await apply(database_url, INIT_SQL)


def test_a_changed_definition_has_the_next_number() -> None:
    former = RELEASED[max(RELEASED)]
    changed = former != INIT_SQL
    assert max(release_of(former), 1) + changed == RELEASE, "deploy/init.sql: set the number in its head"
    numbers = [max(release_of(text), 1) for _, text in sorted(RELEASED.items())]
    assert numbers == sorted(numbers)
    assert len(re.findall("^-- Release of the definition: ", INIT_SQL, re.MULTILINE)) == 1
