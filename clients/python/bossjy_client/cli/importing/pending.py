"""Unfinished imports of this machine, which the same command resumes.

There is one small file for each import. Its name is a hash of the properties that make two uploads the same: service,
identity, file with its size and modification time, and request. It contains only the `request_id`; the server knows the
rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from bossjy.imports.v1 import import_pb2
from bossjy_client.credentials import Login
from bossjy_client.errors import SourceError
from bossjy_client.places import state_folder, write_private


class PendingImport:
    """The request id of one upload, kept until the upload has ended."""

    def __init__(self, login: Login, file: Path, spec: import_pb2.ImportSpec, args: argparse.Namespace) -> None:
        """Raises SourceError. Of `args` the fields that `spec` lacks: options of reading, dry_run, parts."""
        try:
            state = file.stat()
        except OSError as error:
            raise SourceError(f"{file}: {error.strerror}") from error
        identity = login.tenant_id or hashlib.sha256(login.api_key.encode()).hexdigest()
        parts: Mapping[str, object] = {
            "target": login.target,
            "identity": identity,
            "file": str(file.resolve()),
            "size": state.st_size,
            "changed": state.st_mtime_ns,
            "spec": spec.SerializeToString(deterministic=True).hex(),
            "asked": [args.dry_run, args.parts, args.sheet, args.records, args.skip_hidden_rows],
        }
        name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
        self._path = state_folder() / "imports" / f"{name}.json"
        self.resumed = False

    def request_id(self) -> str:
        """The id with which the upload began, or a new one that is stored before its first use."""
        try:
            known = str(json.loads(self._path.read_text(encoding="utf-8"))["request_id"])
        except (OSError, ValueError, KeyError, TypeError):
            fresh = str(uuid.uuid4())
            write_private(self._path, json.dumps({"request_id": fresh}) + "\n")
            return fresh
        self.resumed = True
        return known

    def done(self) -> None:
        """Mark the upload as ended: the next one of the same file is a new import."""
        self._path.unlink(missing_ok=True)
