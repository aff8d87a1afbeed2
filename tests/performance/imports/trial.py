"""One trial: an import into a tenant with contacts, interrupted at random moments, and its result.

The seed determines a whole trial: the rows, the policies, the parts, the faults, and their times.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client import BossjyError, Client
from tests.e2e.conftest import ROOT, Tenant, register
from tests.performance.imports.model import Contact, FileRow, cut_rows, read_part
from tests.performance.imports.rig import LONGEST_PAUSE_S, STALL_TIMEOUT_S, Fault, Rig
from tests.performance.imports.table import Differences, compare, contacts_of, find
from tests.performance.imports.upload_program import UploadPlan, upload

_WINDOWS = (16, 32, 64)  # KiB that a client has in flight: a file is many blocks
_FLUSH_S = 0.27  # of the server, for each window
_LONGEST_S = 180.0
_REVERTED = 0.3
_MADE = "SELECT count(*) FROM bossjy.imports WHERE request_id = $1"
_PATIENT = {
    "max_attempts": 200,
    "upload_attempts": 400,
    "timeout_s": 120.0,
    "max_backoff_s": 0.5,
    "stall_timeout_s": STALL_TIMEOUT_S,
}


@dataclass
class Trial:
    """The import and its faults."""

    seed: int
    rng: random.Random
    rows: list[bytes]  # of the file, header first
    cuts: list[int]  # rows before each part, and after the last
    spec: import_pb2.ImportSpec
    faults: list[Fault]
    window: int
    # Of a pipe's producer: offset in the file and seconds. Without any, the file itself is uploaded.
    pauses: list[tuple[int, float]]
    differences: Differences = field(default_factory=Differences)
    looked: int = 0  # how often the database was compared
    _read: list[FileRow] = field(default_factory=list)

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Bytes of each part."""
        ends = [0, *accumulate(len(row) for row in self.rows)]
        return [(ends[start], ends[end]) for start, end in pairwise(self.cuts)]

    def file_rows(self, import_id: str) -> list[FileRow]:
        """The content of the rows; read once, because libphonenumber is slow."""
        if not self._read:
            for part, (start, end) in enumerate(pairwise(self.cuts)):
                self._read += read_part(self.rows[start:end], part, import_id)
        return self._read


def draw_trial(seed: int, faults: Sequence[Fault], most_rows: int) -> Trial:
    """A trial of the first of `faults`, and perhaps of a second one."""
    rng = random.Random(seed)
    parts = 1 if faults[0] is Fault.PIPE else rng.choice((1, 1, 2, 3))
    count = rng.randrange(most_rows // 2, most_rows)
    rows = cut_rows(make_file(count, seed))
    body = rows[1:]
    rng.shuffle(body)
    rows = [rows[0], *body]
    inner = sorted(rng.sample(range(2, len(rows) - 1), parts - 1))
    spec = import_pb2.ImportSpec(
        default_region="CN",
        file_name="trial.csv",
        existing_policy=rng.choice(import_pb2.ExistingPolicy.values()[1:]),
        duplicate_policy=rng.choice(import_pb2.DuplicatePolicy.values()[1:]),
        part_count=parts,
    )
    struck = [faults[0], *([rng.choice(faults)] if rng.random() < 0.4 else [])]
    size = sum(len(row) for row in rows)
    pauses = [
        (rng.randrange(1, size), rng.uniform(STALL_TIMEOUT_S, LONGEST_PAUSE_S))
        for _ in range(rng.choice((1, 2)) if faults[0] is Fault.PIPE else 0)
    ]
    return Trial(seed, rng, rows, [0, *inner, len(rows)], spec, struck, rng.choice(_WINDOWS) * 1024, pauses)


def make_file(count: int, seed: int) -> bytes:
    """A dirty list of contacts, like that of the demonstration."""
    sys.path.insert(0, str(ROOT / "deploy" / "demo"))
    try:
        import make_contacts  # noqa: PLC0415 - a program beside its data, no package
    finally:
        sys.path.pop(0)
    lines = [make_contacts.header(), *(line for _, _, line in make_contacts.contact_rows(count, seed))]
    return "".join(lines).encode()


async def run_trial(rig: Rig, trial: Trial, folder: Path) -> Trial:
    """Run it; `differences` describes the faults found, `looked` is the number of comparisons."""
    tenant = await asyncio.to_thread(register, rig.server.target)
    before = await _bring_base(rig, trial, tenant, folder)
    path = folder / "trial.csv"
    path.write_bytes(b"".join(trial.rows))
    config = {**_PATIENT, "window_bytes": trial.window, "chunk_bytes": trial.window // 2}
    request_id = str(uuid.UUID(int=trial.rng.getrandbits(128)))
    plan = UploadPlan(rig.proxy.target, tenant.token, request_id, path, trial.runs, trial.spec, config, trial.pauses)
    async with asyncio.timeout(_LONGEST_S):
        import_id = await _upload_struck(rig, trial, plan, tenant, before)
        await _look(rig, trial, tenant, before, import_id, at_end=True)
    rig.count_pauses(len(trial.pauses))
    if trial.rng.random() < _REVERTED:
        await _revert(rig, trial, tenant, before, import_id)
    return trial


async def _bring_base(rig: Rig, trial: Trial, tenant: Tenant, folder: Path) -> dict[str, Contact]:
    """Earlier contacts: some of the file's rows, some of them with another name or none."""
    header, *rows = trial.rows
    kept = trial.rng.sample(rows, int(len(rows) * trial.rng.choice((0.3, 0.9))))
    names = (None, b"", "旧".encode())
    changed = [
        row if name is None or row.startswith(b'"') else name + row[row.index(b",") :]
        for row, name in zip(kept, trial.rng.choices(names, k=len(kept)), strict=True)
    ]
    path = folder / "base.csv"
    path.write_bytes(b"".join([header, *changed]))
    spec = import_pb2.ImportSpec(default_region="CN")
    async with await Client.connect(rig.server.target, token=tenant.token) as client:
        job = await client.imports.upload_file(path, spec)
    connection = await rig.connect()
    try:
        found = await find(connection, tenant.tenant_id, job.import_id)
    finally:
        await connection.close()
    trial.differences.add(compare(found, {}, list(read_part([header, *changed], 0, job.import_id)), spec))
    return found.contacts


async def _upload_struck(rig: Rig, trial: Trial, plan: UploadPlan, tenant: Tenant, before: dict[str, Contact]) -> str:
    """Upload with faults; after each fault the present state of the database is compared."""
    upload_s = 0.5 + _FLUSH_S * max(end - start for start, end in plan.runs) / trial.window
    uploading: asyncio.Task[str] | None = None
    try:
        for fault in trial.faults:
            wait_s = trial.rng.uniform(0, upload_s)
            if fault is Fault.CLIENT:
                await _end(uploading)
                uploading = None
                await _upload_killed(rig, plan, wait_s)
            else:
                uploading = uploading or asyncio.ensure_future(_upload_on(plan))
                await asyncio.sleep(wait_s)
                await rig.strike(fault, trial.rng)
            await _look(rig, trial, tenant, before, await _import_id(rig, tenant, plan), at_end=False)
        return await (uploading or asyncio.ensure_future(_upload_on(plan)))
    finally:
        await _end(uploading)


async def _upload_on(plan: UploadPlan) -> str:
    """Start the same upload again if it could not even begin, as a user does."""
    while True:
        try:
            return await upload(plan)
        except BossjyError as error:
            if error.code not in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}:
                raise
        await asyncio.sleep(0.2)


async def _end(task: asyncio.Task[str] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _upload_killed(rig: Rig, plan: UploadPlan, wait_s: float) -> None:
    """Upload by a separate program, killed the given time after its import was created."""
    file = plan.path.with_suffix(".plan")
    plan.write(file)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.performance.imports.upload_program", str(file), cwd=ROOT, start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    connection = await rig.connect()
    try:
        while not await connection.fetchval(_MADE, plan.request_id):
            await asyncio.sleep(0.02)
            if process.returncode is not None:
                raise RuntimeError("the client ended before it made an import")
    finally:
        await connection.close()
    await asyncio.sleep(wait_s)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    rig.count_client()


async def _import_id(rig: Rig, tenant: Tenant, plan: UploadPlan) -> str | None:
    connection = await rig.connect()
    try:
        query = "SELECT import_id FROM bossjy.imports WHERE tenant_id = $1 AND request_id = $2"
        found: str | None = await connection.fetchval(query, tenant.tenant_id, plan.request_id)
    finally:
        await connection.close()
    return found


async def _look(
    rig: Rig, trial: Trial, tenant: Tenant, before: dict[str, Contact], import_id: str | None, *, at_end: bool
) -> None:
    """Compare the database with the model as far as the import is committed."""
    if import_id is None:
        return
    connection = await rig.connect()
    try:
        found = await find(connection, tenant.tenant_id, import_id)
        state = await connection.fetchval("SELECT state FROM bossjy.imports WHERE import_id = $1", import_id)
    finally:
        await connection.close()
    trial.looked += 1
    trial.differences.add(compare(found, before, trial.file_rows(import_id), trial.spec))
    sizes = [end - start for start, end in trial.runs]
    if at_end and not (found.finished and found.offsets == sizes and state == "succeeded"):
        text = f"at the end the import is {state}, its offsets {found.offsets}, expected {sizes}"
        trial.differences.add(Differences(wrong=1, lines=(text,)))


async def _revert(rig: Rig, trial: Trial, tenant: Tenant, before: dict[str, Contact], import_id: str) -> None:
    """Revert the import: the contacts must be the former ones."""
    async with await Client.connect(rig.server.target, token=tenant.token) as client:
        await client.imports.revert(import_id)
    connection = await rig.connect()
    try:
        after = await contacts_of(connection, tenant.tenant_id)
    finally:
        await connection.close()
    trial.looked += 1
    if after != before:
        wrong = len(after.keys() ^ before.keys()) + sum(
            after[one] != before[one] for one in after.keys() & before.keys()
        )
        trial.differences.add(Differences(wrong=wrong, lines=(f"{wrong} contacts differ after the revert",)))
