from __future__ import annotations

from bossjy.imports.v1 import import_pb2
from tests.integration.imports.conftest import Imports

FILE = """姓名,手机号,邮箱,城市
张三,138 0013 8000,zhang@example.com,北京
李四,+86 13800138001,,上海
王五,13800138000,,
赵六,1.38E+10,,
孙七,12,,
""".encode()


async def test_a_file_becomes_contacts_and_refused_rows(imports: Imports) -> None:
    job = await imports.run(FILE)
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert job.counts == import_pb2.ImportCounts(rows_in=5, inserted=2, duplicate=1, rejected=2)
    assert await imports.rows() == [
        ("+8613800138000", "张三", "zhang@example.com", '{"城市": "北京"}', []),
        ("+8613800138001", "李四", "", '{"城市": "上海"}', []),
    ]
    rejects = await imports.rejects(job.import_id)
    assert [(row.line, row.reason, row.original) for row in rejects] == [
        (5, import_pb2.REJECT_REASON_PRECISION_LOST, "1.38E+10"),
        (6, import_pb2.REJECT_REASON_TOO_SHORT, "12"),
    ]
    assert FILE[rejects[0].byte_offset :].startswith("赵六".encode())
