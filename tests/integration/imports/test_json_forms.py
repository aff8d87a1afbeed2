"""JSON with other encodings, line ends and numbers than JSON has, and JSON documents other than JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import Imports

ROWS = [{"name": f"张三{n}", "phone": f"1380014{n:04d}", "note": "a\\nb"} for n in range(300)]


def lines(line_end: str = "\n") -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + line_end for row in ROWS)


FILES = {
    "utf-16": lines().encode("utf-16"),
    "utf-16le": lines("\r\n").encode("utf-16-le"),
    "utf-16be": lines().encode("utf-16-be"),
    "gb18030": lines().encode("gb18030"),
    "gb18030-cr": lines("\r").encode("gb18030"),
    "cr": lines("\r").encode(),
    "crlf": lines("\r\n").encode(),
    "mixed": (lines("\r")[:3000] + lines("\n")[3000:]).encode(),
    "no end": lines("\n").encode()[:-1],
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("chunk", [333, 1_000_000])
async def test_json_lines_in_every_encoding_and_line_end(
    make_imports: Callable[..., Imports], name: str, chunk: int
) -> None:
    imports = make_imports(block_bytes=2000)
    data = FILES[name]
    job = await imports.run(data, chunk=chunk)
    assert job.counts == import_pb2.ImportCounts(rows_in=300, inserted=300)
    assert [row[1] for row in await imports.rows()] == [f"张三{n}" for n in range(300)]


@pytest.mark.parametrize("name", ["utf-16", "gb18030-cr", "cr", "crlf"])
async def test_refused_objects_have_line_and_offset(make_imports: Callable[..., Imports], name: str) -> None:
    imports = make_imports(block_bytes=2000)
    codec = "utf-16-le" if name == "utf-16" else name.partition("-")[0] if "gb" in name else "utf-8"
    bad, good = "13800140077".encode(codec), "23800140077".encode(codec)
    job = await imports.run(FILES[name].replace(bad, good), chunk=700)
    [row] = await imports.rejects(job.import_id)
    assert row.line == 78
    assert FILES[name][row.byte_offset :].startswith('{"name"'.encode(codec))


async def test_numbers_that_json_does_not_have(imports: Imports) -> None:
    data = b'{"name":"A","phone":1.3800144056e10}\n{"name":"B","phone":"13800144057","score":NaN,"rate":1.50}\n'
    job = await imports.run(data + b'{"phone":"13800144058","most":-Infinity}\n{"phone":"13800144059",NaN}\n')
    assert (job.counts.inserted, job.counts.rejected) == (3, 1)
    assert [json.loads(str(row[3])) for row in await imports.rows()] == [{}, {"rate": "1.50"}, {"most": "-Infinity"}]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (json.dumps(ROWS[:3]), "`jq -c '.[]' FILE`"),
        (json.dumps(ROWS, indent=2), "`jq -c '.[]' FILE`"),
        (json.dumps({"data": ROWS}), """`jq -c '."data"[]' FILE`"""),
        (json.dumps({"total": 3, "ok": True, "people": ROWS[:3]}, indent=1), """`jq -c '."people"[]' FILE`"""),
        (json.dumps(ROWS[0], indent=2), "`jq -c '.' FILE`"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
async def test_a_json_document_is_named(imports: Imports, document: str, said: str, codec: str) -> None:
    job = await imports.create()
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, document.encode(codec))
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED
    assert said in str(caught.value)


@pytest.mark.parametrize("count", [1, 2])
async def test_rows_with_lists_of_objects_are_rows(imports: Imports, count: int) -> None:
    rows = [{"phone": f"1380014000{n}", "tags": [{"k": n}]} for n in range(count)]
    job = await imports.run("".join(json.dumps(row) + "\n" for row in rows).encode())
    assert job.counts.inserted == count
