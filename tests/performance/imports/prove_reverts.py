"""Proof that reverted imports leave nothing and remove nothing else, in any order.

    python -m tests.performance.imports.prove_reverts [--histories 1000] [--seed 1]

Each history makes two to five imports of the same few numbers, with random policies and blocks, and reverts them in
random order. After each reversal all contacts equal those of a model in which the reverted imports were never made; in
the end nothing remains. Writes build/figures/prove_reverts.json. Ends with 1 if anything differed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bossjy_numbering import load_plan
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.embedded.servers import start_embedded
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.servicer import ImportServicer
from bossjy_server.storage.pages import Pages
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, mac, make_tenant
from tests.measurements import write_figures
from tests.parts import service_url, set_up
from tests.performance.imports.histories import run_history

PROGRESS = 50


async def prove(histories: int, seed: int, folder: Path) -> dict[str, float]:
    """Run the histories; the figures."""
    began = time.monotonic()
    figures: dict[str, float] = {"revert_histories": 0, "reverts": 0, "wrong": 0, "left_over": 0}
    plan = load_plan(folder / "plan")
    async with start_embedded(folder / "data", postgres=True, redis=False) as parts:
        await set_up(parts.database_url)
        database = await Database.open(service_url(parts.database_url), min_size=1, max_size=5)
        await make_tenant(database, TENANT)
        enter_tenant(TENANT)
        for number in range(histories):
            rng = random.Random(seed * 1_000_000 + number)
            options = replace(ImportOptions(), block_bytes=rng.choice([150, 1 << 20]), flush_s=0.01)
            draining = asyncio.Event()
            servicer = ImportServicer(database, plan, draining, options, pages=Pages(mac))
            imports = Imports(database, servicer, ContactServicer(database, plan, mac), draining, options)
            outcome = await run_history(imports, rng)
            await servicer.close()
            figures["revert_histories"] += 1
            figures["reverts"] += outcome.reverts
            figures["wrong"] += outcome.wrong
            figures["left_over"] += outcome.left_over
            if (number + 1) % PROGRESS == 0:
                print(f"{number + 1:5}/{histories}  wrong {figures['wrong']:g}", flush=True)
        await database.close()
    figures["prove_s"] = round(time.monotonic() - began, 1)
    return figures


def main() -> int:
    """Returns 0 if every reversal was exact."""
    parser = argparse.ArgumentParser(description="Revert random histories of imports in random order.")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bossjy-reverts-", ignore_cleanup_errors=True) as folder:
        figures = asyncio.run(prove(given.histories, given.seed, Path(folder)))
    write_figures("prove_reverts", figures)
    return 1 if figures["wrong"] or figures["left_over"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
