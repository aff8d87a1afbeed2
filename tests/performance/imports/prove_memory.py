"""Proof that memory does not grow with the file: 1.5 GB in one upload, and the server stays below 512 MiB.

    python -m tests.performance.imports.prove_memory [--mib 1536] [--limit-mib 512]

The bytes are made while they are sent: rows of about 1000 bytes with seven columns that are kept as attributes. The
resident memory of the server and its worker processes is summed ten times per second. Writes
build/figures/import_memory.json.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client import Client
from tests.e2e.conftest import register
from tests.measurements import write_figures
from tests.performance.imports.memory import peak_mib, resident_mib
from tests.performance.imports.rig import Rig, running_rig

_EXTRA, _CELL, _MIB = 7, 135, 2**20


class MadeRows:
    """A file of a given number of bytes, made as it is read. `rows` is its number of rows so far."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._text = random.Random(1).randbytes(64 * 1024).hex()
        self._ready = b"phone,name," + b",".join(b"note%d" % n for n in range(_EXTRA)) + b"\n"
        self.rows = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes, whole rows at the end."""
        while len(self._ready) < size and self._left > 0:
            row = self._row()
            self._left -= len(row)
            self._ready += row
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def _row(self) -> bytes:
        begin = self.rows * 7 % (len(self._text) - _EXTRA * _CELL)
        cells = (self._text[begin + n * _CELL : begin + (n + 1) * _CELL] for n in range(_EXTRA))
        row = f"+86138{self.rows % 10**8:08d},name {self.rows},{','.join(cells)}\n"
        self.rows += 1
        return row.encode()


async def watch(pid: int, limit_mib: float) -> float:
    """The maximum of the resident memory until cancelled. Ends early above the limit."""
    most = 0.0
    try:
        while most <= limit_mib:
            most = max(most, await asyncio.to_thread(resident_mib, pid))
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        pass
    return most


async def prove(mib: int, limit_mib: float, folder: Path) -> dict[str, float]:
    """Upload and watch. Raises RuntimeError if not every row became a contact."""
    async with running_rig(folder) as rig:
        # The first start compiles the tables of the plan; the measured server only loads them.
        await asyncio.to_thread(rig.server.end)
        await asyncio.to_thread(rig.server.start)
        assert rig.server.process is not None
        pid = rig.server.process.pid
        before = resident_mib(pid)
        watching = asyncio.create_task(watch(pid, limit_mib))
        rows, seconds = await _upload(rig, mib, watching)
        watching.cancel()
        most = await watching
        return {
            "file_mib": mib,
            "rows": rows,
            "import_s": round(seconds, 1),
            "before_mib": round(before, 1),
            "most_mib": round(most, 1),
            "sum_of_peaks_mib": round(peak_mib(pid), 1),
            "limit_mib": limit_mib,
        }


async def _upload(rig: Rig, mib: int, watching: asyncio.Task[float]) -> tuple[int, float]:
    tenant = await asyncio.to_thread(register, rig.server.target)
    made = MadeRows(mib * _MIB)
    began = time.monotonic()
    async with await Client.connect(rig.server.target, token=tenant.token) as client:
        uploading = asyncio.ensure_future(client.imports.upload_file(made, import_pb2.ImportSpec()))
        await asyncio.wait({uploading, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not uploading.done():
            uploading.cancel()
            await asyncio.gather(uploading, return_exceptions=True)
            return made.rows, time.monotonic() - began
        job = uploading.result()
    if job.counts.inserted != made.rows:
        raise RuntimeError(f"{job.counts.inserted} contacts of {made.rows} rows")
    return made.rows, time.monotonic() - began


def main() -> int:
    """Returns 0 if the server stayed below the limit."""
    parser = argparse.ArgumentParser(description="Import a large file and watch the server's memory.")
    parser.add_argument("--mib", type=int, default=1536)
    parser.add_argument("--limit-mib", type=float, default=512.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bossjy-prove-", ignore_cleanup_errors=True) as folder:
        figures = asyncio.run(prove(options.mib, options.limit_mib, Path(folder)))
    write_figures("import_memory", figures)
    if figures["most_mib"] > options.limit_mib:
        print(f"the server went beyond {options.limit_mib:g} MiB")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
