"""A client that can be killed: uploads the parts of a file as one import, and goes on where an earlier run was.

    python -m tests.performance.imports.upload_program PLAN

PLAN is a JSON file: target, token, request_id, path, runs (start and end of each part), spec (as JSON), config. It
prints the import's id once the import is there.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from bossjy.imports.v1 import import_pb2
from bossjy_client import Client, ClientConfig
from bossjy_client.sources import FileSource


@dataclass(frozen=True)
class UploadPlan:
    """What to upload, and how."""

    target: str
    token: str
    request_id: str
    path: Path
    runs: list[tuple[int, int]]
    spec: import_pb2.ImportSpec
    config: dict[str, Any] = field(default_factory=dict)

    def write(self, file: Path) -> None:
        """For a program of its own."""
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
                }
            )
        )

    @classmethod
    def read(cls, file: Path) -> UploadPlan:
        """What `write` wrote."""
        values = json.loads(file.read_text())
        spec = json_format.Parse(values["spec"], import_pb2.ImportSpec())
        return cls(**{**values, "path": Path(values["path"]), "spec": spec})


async def upload(plan: UploadPlan) -> str:
    """Upload all parts at once; the import's id. Can be called again with the same plan after any end."""
    config = ClientConfig(**plan.config)
    async with await Client.connect(plan.target, token=plan.token, config=config) as client:
        job = await client.imports.create(plan.spec, request_id=plan.request_id)
        if job.state != import_pb2.IMPORT_STATE_OPEN:
            return job.import_id
        sources = [FileSource(plan.path, start=start, end=end) for start, end in plan.runs]
        try:
            await asyncio.gather(
                *(client.imports.upload_part(job.import_id, one, part=part) for part, one in enumerate(sources))
            )
        finally:
            for one in sources:
                one.close()
    return job.import_id


if __name__ == "__main__":
    print(asyncio.run(upload(UploadPlan.read(Path(sys.argv[1])))), flush=True)
