"""Random histories of imports, reverted in random order, compared with a model of the remaining imports."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import TENANT, Imports
from tests.integration.imports.test_order import (
    FILL,
    FIRST,
    HEADER,
    LAST,
    OVERWRITE,
    SKIP,
    Model,
    Row,
    contacts,
    random_rows,
    text,
)


@dataclass(slots=True)
class Outcome:
    """The result of a history: comparisons, differing ones, and layers and contacts that remain at its end."""

    reverts: int = 0
    wrong: int = 0
    left_over: int = 0


async def run_history(imports: Imports, rng: random.Random) -> Outcome:
    """Make two to five imports that overlap, and revert them in random order. The tenant is empty before and after."""
    outcome = Outcome()
    history: list[tuple[import_pb2.Import, list[Row], int, int]] = []
    for _ in range(rng.randrange(2, 6)):
        rows, existing, duplicate = random_rows(rng, 25), rng.choice([SKIP, FILL, OVERWRITE]), rng.choice([FIRST, LAST])
        data = HEADER.encode() + text(rows)
        job = await imports.run(data, chunk=120, existing_policy=existing, duplicate_policy=duplicate)
        history.append((job, rows, existing, duplicate))
    while history:
        before = await contacts(imports)
        job, *_ = history.pop(rng.randrange(len(history)))
        done = await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))
        model = Model()
        for _, made, policy, winner in history:
            model.run(made, policy, winner)
        changed = sum(before.get(number) != fields for number, fields in model.contacts.items())
        told = (done.removed_count, done.restored_count, done.conflict_count)
        right = told == (len(before) - len(model.contacts), changed, 0) and await contacts(imports) == model.contacts
        outcome.reverts += 1
        outcome.wrong += not right
    outcome.left_over = await layers_of(imports) + len(await imports.rows())
    return outcome


async def layers_of(imports: Imports) -> int:
    """Number of import rows that are kept besides the contacts."""
    async with imports.database.tenant(TENANT) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM bossjy.import_changes"))
