"""Regions and languages that do not exist are rejected when an import is made, not row by row."""

from __future__ import annotations

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import InvalidArgument
from tests.integration.imports.conftest import Imports


@pytest.mark.parametrize(
    ("spec", "reason", "field"),
    [
        (import_pb2.ImportSpec(default_region="QZ"), "INVALID_FIELD", "spec.default_region"),
        (import_pb2.ImportSpec(language="$$$"), "LANGUAGE_UNKNOWN", "spec.language"),
    ],
    ids=["region", "language"],
)
async def test_unknown_terms_are_refused(
    imports: Imports, spec: import_pb2.ImportSpec, reason: str, field: str
) -> None:
    for call in (
        imports.servicer.CreateImport(pb.CreateImportRequest(spec=spec)),
        imports.servicer.PreviewImport(pb.PreviewImportRequest(spec=spec, sample=b"phone\n1\n")),
    ):
        with pytest.raises(InvalidArgument) as caught:
            await call
        assert (caught.value.reason, [one.field for one in caught.value.violations]) == (reason, [field])


async def test_known_terms_are_accepted(imports: Imports) -> None:
    job = await imports.create(default_region="GB", language="zh-Hant")
    assert (job.spec.default_region, job.spec.language) == ("GB", "zh-Hant")
