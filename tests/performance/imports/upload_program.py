"""A client that can be killed: uploads the parts of a file as one import, and resumes that of an earlier run.

    python -m tests.performance.imports.upload_program PLAN

PLAN is a JSON file: target, token, request_id, path, runs (start and end of each part), spec (as JSON), config, and
pauses (offset and seconds) if the file comes through a pipe. It prints the import's id after the import was created.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from google.protobuf import json_format

from bossjy.imports.v1 import import_pb2
from bossjy_client import Client, ClientConfig
from bossjy_client.sources import FileSource
from bossjy_client.stream_source import StreamSource

_PIECE_BYTES = 4096
_BETWEEN_S = 0.002


@dataclass(frozen=True)
class UploadPlan:
    """The upload and its options."""

    target: str
    token: str
    request_id: str
    path: Path
    runs: list[tuple[int, int]]
    spec: import_pb2.ImportSpec
    config: dict[str, Any] = field(default_factory=dict)
    # Offsets at which the producer of a pipe sleeps, and for how many seconds; if there are none, the file is read.
    pauses: list[tuple[int, float]] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """Serialise the plan for a separate program."""
        file.write_text(
            json.dumps(
                {
                    "target": self.target,
                    "token": self.token,
                    "request_id": self.request_id,
                    "path": str(self.path),
                    "runs": self.runs,
                    "spec": json_format.MessageToJson(self.spec),
                    "config": self.config,
                    "pauses": self.pauses,
                }
            )
        )

    @classmethod
    def read(cls, file: Path) -> UploadPlan:
        """Read the output of `write`."""
        values = json.loads(file.read_text())
        spec = json_format.Parse(values["spec"], import_pb2.ImportSpec())
        return cls(**{**values, "path": Path(values["path"]), "spec": spec})


def slow_pipe(path: Path, pauses: list[tuple[int, float]]) -> BinaryIO:
    """The reading end of a pipe whose producer writes the file in small amounts, and pauses."""
    reading, writing = os.pipe()
    threading.Thread(target=_produce, args=(path.read_bytes(), pauses, writing), daemon=True).start()
    return os.fdopen(reading, "rb")


def _produce(data: bytes, pauses: list[tuple[int, float]], writing: int) -> None:
    ends = sorted({*range(_PIECE_BYTES, len(data), _PIECE_BYTES), *(offset for offset, _ in pauses), len(data)})
    slept, start = dict(pauses), 0
    with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as pipe:
        for end in ends:
            pipe.write(data[start:end])
            time.sleep(slept.get(end, _BETWEEN_S))
            start = end


async def upload(plan: UploadPlan) -> str:
    """Upload all parts at once; the import's id. Can be called again with the same plan after any end."""
    config = ClientConfig(**plan.config)
    async with await Client.connect(plan.target, token=plan.token, config=config) as client:
        job = await client.imports.create(plan.spec, request_id=plan.request_id)
        if job.state != import_pb2.IMPORT_STATE_OPEN:
            return job.import_id
        pipe = slow_pipe(plan.path, plan.pauses) if plan.pauses else None
        sources: list[FileSource | StreamSource]
        if pipe is None:
            sources = [FileSource(plan.path, start=start, end=end) for start, end in plan.runs]
        else:
            sources = [StreamSource(pipe)]
        try:
            await asyncio.gather(
                *(client.imports.upload_part(job.import_id, one, part=part) for part, one in enumerate(sources))
            )
        finally:
            for one in sources:
                one.close()
            if pipe is not None:
                await asyncio.to_thread(pipe.close)  # a running read ends first
    return job.import_id


if __name__ == "__main__":
    print(asyncio.run(upload(UploadPlan.read(Path(sys.argv[1])))), flush=True)
