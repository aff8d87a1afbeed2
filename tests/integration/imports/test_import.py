"""Imports from file to contacts: merged rows, rejected rows, and the errors for unreadable files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import TENANT, Imports, demo_file

FILE = """姓名,手机号,邮箱,城市
张三,138 0013 8000,zhang@example.com,北京
李四,+86 13800138001,,上海
王五,13800138000,,
赵六,1.38E+10,,
孙七,12,,
""".encode()
OK, FAILED = import_pb2.IMPORT_STATE_SUCCEEDED, import_pb2.IMPORT_STATE_FAILED
A, B = "+8613800138000", "+8613800138001"


async def test_a_file_becomes_contacts_and_refused_rows(imports: Imports) -> None:
    job = await imports.run(FILE)
    assert job.state == OK
    assert job.counts == import_pb2.ImportCounts(rows_in=5, inserted=2, duplicate=1, rejected=2)
    assert await imports.rows() == [
        (A, "张三", "zhang@example.com", '{"城市": "北京"}', []),
        (B, "李四", "", '{"城市": "上海"}', []),
    ]
    rejects = await imports.rejects(job.import_id)
    assert [(row.line, row.reason, row.original) for row in rejects] == [
        (5, import_pb2.REJECT_REASON_PRECISION_LOST, "1.38E+10"),
        (6, import_pb2.REJECT_REASON_TOO_SHORT, "12"),
    ]
    assert FILE[rejects[0].byte_offset :].startswith("赵六".encode())


async def test_what_was_found_out_is_shown(imports: Imports) -> None:
    job = await imports.run(b"\xef\xbb\xbf" + FILE, file_name="客户.csv")
    assert job.resolved.source.encoding == "utf-8"
    assert job.resolved.source.header == import_pb2.HEADER_PRESENT
    assert list(job.resolved.source.columns) == ["姓名", "手机号", "邮箱", "城市"]
    assert [(one.column, one.field) for one in job.resolved.mapping] == [
        ("姓名", import_pb2.CONTACT_FIELD_NAME),
        ("手机号", import_pb2.CONTACT_FIELD_PHONE_NUMBER),
        ("邮箱", import_pb2.CONTACT_FIELD_EMAIL),
        ("城市", import_pb2.CONTACT_FIELD_ATTRIBUTE),
    ]
    assert job.resolved.default_region == "CN"
    assert job.spec.display_name == "客户.csv"
    assert job.metadata_version


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk", [1, 7, 100_000])
async def test_line_ends_and_cuts_do_not_matter(imports: Imports, end: str, chunk: int) -> None:
    data = b"\xef\xbb\xbf" + FILE.replace(b"\n", end.encode())
    job = await imports.run(data, chunk=chunk)
    assert job.counts == import_pb2.ImportCounts(rows_in=5, inserted=2, duplicate=1, rejected=2)
    assert [row.line for row in await imports.rejects(job.import_id)] == [5, 6]


async def test_the_demonstration_file(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=50_000)
    first = await imports.run(demo_file())
    counts = first.counts
    assert counts.rows_in == 10_000
    assert counts.rows_in == counts.inserted + counts.duplicate + counts.rejected
    assert counts.inserted == len(await imports.rows())
    assert len(await imports.rejects(first.import_id)) == counts.rejected
    # The same again: nothing new, and the same rows are duplicates and rejects.
    again = (await imports.run(demo_file())).counts
    assert (again.inserted, again.updated) == (0, 0)
    assert (again.unchanged, again.duplicate, again.rejected) == (counts.inserted, counts.duplicate, counts.rejected)


async def test_doubles_in_other_blocks_count_once(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=100, flush_s=0.01)
    await imports.run("手机号,姓名\n13800138000,旧\n".encode())
    rows = [f"1380013{8000 + n % 7},名{n}\n" for n in range(70)]
    job = await imports.run(("手机号,姓名\n" + "".join(rows)).encode(), chunk=50)
    # The first row with the existing number changes it; of the other six the first row each is new.
    assert job.counts == import_pb2.ImportCounts(rows_in=70, inserted=6, updated=1, duplicate=63)
    assert [row[1] for row in await imports.rows()] == [f"名{n}" for n in range(7)]


async def test_doubles_of_a_row_that_changed_nothing_are_doubles(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=30, flush_s=0.01)
    await imports.run("手机号,姓名\n13800138000,张三\n".encode())
    data = "手机号,姓名\n13800138000,张三\n13800138001,x\n13800138000,李四\n".encode()
    job = await imports.run(data, chunk=10)
    assert job.counts == import_pb2.ImportCounts(rows_in=3, inserted=1, unchanged=1, duplicate=1)
    assert (await imports.rows())[0][1] == "张三"


@pytest.mark.parametrize(
    ("policy", "expected", "counts"),
    [
        (
            import_pb2.EXISTING_POLICY_OVERWRITE,
            (A, "新", "old@example.com", '{"a": "1", "b": "3", "c": "4"}', ["+8613800138009"]),
            import_pb2.ImportCounts(rows_in=1, updated=1),
        ),
        (
            import_pb2.EXISTING_POLICY_FILL_EMPTY,
            (A, "旧", "old@example.com", '{"a": "1", "b": "2", "c": "4"}', ["+8613800138009"]),
            import_pb2.ImportCounts(rows_in=1, updated=1),
        ),
        (
            import_pb2.EXISTING_POLICY_SKIP,
            (A, "旧", "old@example.com", '{"a": "1", "b": "2"}', []),
            import_pb2.ImportCounts(rows_in=1, unchanged=1),
        ),
    ],
)
async def test_what_is_there_meets_a_row_by_policy(
    imports: Imports, policy: int, expected: tuple[object, ...], counts: import_pb2.ImportCounts
) -> None:
    await imports.run("手机号,姓名,邮箱,a,b\n13800138000,旧,old@example.com,1,2\n".encode())
    job = await imports.run(
        "手机号,姓名,邮箱,b,c,座机\n13800138000,新,,3,4,13800138009\n".encode(), existing_policy=policy
    )
    assert await imports.rows() == [expected]
    assert job.counts == counts


async def test_former_values_are_kept_with_the_import(imports: Imports) -> None:
    await imports.run("手机号,姓名\n13800138000,旧\n".encode())
    job = await imports.run("手机号,姓名\n13800138000,新\n".encode())
    async with imports.database.tenant(TENANT) as connection:
        former = await connection.fetchval(
            "SELECT former ->> 'name' FROM bossjy.import_changes WHERE import_id = $1", job.import_id
        )
    assert former == "旧"


async def test_a_file_without_a_header_is_read_by_its_numbers(imports: Imports) -> None:
    job = await imports.run("张三,13800138000\n李四,13800138001\n".encode())
    assert job.resolved.source.header == import_pb2.HEADER_ABSENT
    assert job.counts.inserted == 2
    named = await imports.run("张三,13800138002\n".encode(), source=import_pb2.SourceFormat(columns=["姓名", "手机"]))
    assert [row[1] for row in await imports.rows()] == ["", "", "张三"]
    assert named.counts.inserted == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.FORMAT_UNSUPPORTED),
        (b"\n\n", Reason.FORMAT_UNSUPPORTED),
        (b"a,b\n1,2\n", Reason.PHONE_COLUMN_MISSING),
        (",".join(f"c{n}" for n in range(1001)).encode() + b",phone\n", Reason.TOO_MANY_COLUMNS),
        (b'"phone\n', Reason.ROW_TOO_WIDE),
        (b"phone" + b"x" * 1_100_000 + b"\n", Reason.ROW_TOO_WIDE),
    ],
)
async def test_a_file_that_cannot_be_read_fails_the_import(imports: Imports, data: bytes, reason: Reason) -> None:
    job = await imports.create()
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, data)
    assert caught.value.reason is reason
    after = (await imports.servicer.GetImport(pb.GetImportRequest(import_id=job.import_id))).import_job
    assert after.state == FAILED
    assert after.failure


async def test_a_header_alone_is_an_import_of_no_rows(imports: Imports) -> None:
    for data in (b"phone,name\n", b"phone,name", b"\xef\xbb\xbfphone\r\n\r\n"):
        job = await imports.run(data)
        assert (job.state, job.counts.rows_in) == (OK, 0)


async def test_refused_rows_beyond_the_limit_are_counted_and_not_kept(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(max_rejects_kept=10, block_bytes=100)
    job = await imports.run(b"phone\n" + b"x\n" * 100, chunk=60)
    assert job.counts.rejected == 100
    assert job.rejects_truncated
    assert [row.line for row in await imports.rejects(job.import_id)] == list(range(2, 12))


async def test_a_file_beyond_the_limit_fails(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(max_file_bytes=100)
    job = await imports.create()
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, b"phone\n" + b"13800138000\n" * 20, chunk=60)
    assert caught.value.reason is Reason.FILE_TOO_LARGE
    assert caught.value.metadata["limit_bytes"] == "100"


async def test_a_dry_run_keeps_nothing_but_its_counts(imports: Imports) -> None:
    await imports.run("手机号,姓名\n13800138000,旧\n".encode())
    job = await imports.create(validate_only=True)
    answers = await imports.upload(job.import_id, FILE)
    done = answers[-1].finished.import_job
    assert done.counts == import_pb2.ImportCounts(rows_in=5, inserted=1, updated=1, duplicate=1, rejected=2)
    assert [row[1] for row in await imports.rows()] == ["旧"]
    assert len(await imports.rejects(job.import_id)) == 2
