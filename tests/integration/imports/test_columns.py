"""Columns of common exports and templates: each person is imported with name, number and country."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.caller import Caller
from tests.integration.imports.test_complaints import contacts
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPORTS = Path(__file__).with_name("exports")
# File, region, and the contacts; then the reasons of rejected rows.
FILES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "google": ("US", {"+12025550123": "Ann Lee"}, ["SEVERAL_NUMBERS"]),
    "outlook": ("US", {"+12025550123": "Ann Lee", "+12025550124": "Bob Ray", "+12025550125": "Cai Xu"}, []),
    "hubspot": ("US", {"+12025550123": "Ann Lee", "+447400123456": "Bob Ray"}, []),
    "salesforce": ("US", {"+12025550123": "Ann Lee", "+8613800144034": "Cai Xu"}, []),
    "thunderbird": ("US", {"+12025550123": "Ann Lee", "+12025550124": "Bob Ray"}, []),
    "shopify": ("US", {"+447400123456": "Ann Lee", "+447400123457": "Bob Ray"}, []),
    "odoo": ("CN", {"+12025550123": "Ann Lee", "+447400123456": "Bob Ray"}, []),
    "twenty": ("CN", {"+12025550123": "Ann Lee", "+447400123456": "Bob Ray"}, []),
    "dingtalk": ("CN", {"+8613800144045": "张三"}, ["PHONE_EMPTY"]),
    "wecom": ("CN", {"+861062345678": "王五", "+8613800144046": "赵六"}, []),
}


@pytest.fixture(name="caller", scope="module")
def _caller(shared_service: Service) -> Caller:
    return Caller(shared_service)


async def imported(caller: Caller, service: Service, data: bytes, **spec: Any) -> tuple[list[Any], list[str]]:
    """The contacts of an import and the reasons of its rejected rows; nothing stays."""
    import_id = await caller.create(**spec)
    try:
        await caller.upload(import_id, data)
        reasons = [import_pb2.RejectReason.Name(row.reason) for row in await caller.rejects(import_id)]
        found = await contacts(service, import_id)
    finally:
        await caller.call("RevertImport", pb.RevertImportRequest(import_id=import_id))
    return found, [reason.removeprefix("REJECT_REASON_") for reason in reasons]


@pytest.mark.parametrize("name", FILES)
async def test_each_person_of_an_export_comes_in(caller: Caller, shared_service: Service, name: str) -> None:
    region, wanted, refused = FILES[name]
    data = (EXPORTS / f"{name}.csv").read_bytes()
    found, reasons = await imported(caller, shared_service, data, default_region=region)
    assert ({one.phone_number: one.name for one in found}, reasons) == (wanted, refused)


async def test_names_in_two_columns_become_one(caller: Caller, shared_service: Service) -> None:
    data = (
        "First Name,Last Name,Name,Phone\n"
        "Ann,Lee,,+12025550121\n安,李,,+12025550122\nさくら,佐藤,,+12025550123\nCher,,,+12025550124\n"
        ",Lee,,+12025550125\nAnn,Lee,Dr. Ann Lee,+12025550126\nAnn,Lee,Ann Lee,+12025550127\n"
    ).encode()
    found, reasons = await imported(caller, shared_service, data)
    assert reasons == []
    by_number = {one.phone_number[-1]: (one.name, dict(one.attributes.items())) for one in found}
    assert by_number == {
        "1": ("Ann Lee", {}),
        "2": ("李安", {}),
        "3": ("佐藤さくら", {}),
        "4": ("Cher", {}),
        "5": ("Lee", {}),
        "6": ("Dr. Ann Lee", {"First Name": "Ann", "Last Name": "Lee"}),
        "7": ("Ann Lee", {}),
    }


async def test_a_calling_code_in_its_own_column_counts_for_its_row(caller: Caller, shared_service: Service) -> None:
    for header in ("国际区号", "区号", "dial code", "Calling Code", "country code", "国家", "Vorwahl", "국가번호"):
        data = (
            f"姓名,{header},手机号\n张三,+1,2025550123\n李四,+44,7400123456\n王五,86,13800144001\n赵六,0065,81234567\n"
        ).encode()
        found, reasons = await imported(caller, shared_service, data, default_region="CN")
        assert {one.phone_number for one in found} == {
            "+12025550123",
            "+447400123456",
            "+8613800144001",
            "+6581234567",
        }, header
        assert reasons == []


async def test_area_codes_are_no_calling_codes(caller: Caller, shared_service: Service) -> None:
    data = "姓名,区号,手机号\n张三,010,13800144001\n李四,20,13800144002\n".encode()
    found, reasons = await imported(caller, shared_service, data, default_region="CN")
    assert {one.phone_number: dict(one.attributes.items()) for one in found} == {
        "+8613800144001": {"区号": "010"},
        "+8613800144002": {"区号": "20"},
    }
    assert reasons == []


async def test_an_unknown_country_is_refused_with_its_own_reason(caller: Caller, shared_service: Service) -> None:
    data = "姓名,国家,手机号\n张三,某国,13800144001\n李四,,13800144002\n王五,德国,01512 3456232\n".encode()
    found, reasons = await imported(caller, shared_service, data, default_region="CN")
    assert {one.phone_number for one in found} == {"+8613800144002", "+4915123456232"}
    assert reasons == ["COUNTRY_UNKNOWN"]


TITLED = {
    "titles": "2026年客户名单,,\n导出时间:2026-11-01,,\n姓名,手机号,城市\n张三,13800144041,北京\nx,12,\n",
    "a title with the word phone": "客户手机名录,,\n\n姓名,手机号,城市\n张三,13800144041,北京\nx,12,\n",
    "a note of several lines": '"须知：\n1、勿改。\n2、*必填。",,\n姓名,手机号,城市\n张三,13800144041,北京\nx,12,\n',
    "the separator of Excel": "sep=;\n姓名;手机号;城市\n张三;13800144041;北京\nx;12;\n",
}


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", TITLED)
async def test_the_header_is_found_below_titles(caller: Caller, shared_service: Service, name: str, codec: str) -> None:
    text = TITLED[name]
    import_id = await caller.create(default_region="CN")
    await caller.upload(import_id, text.encode(codec))
    (contact,) = await contacts(shared_service, import_id)
    rejects = await caller.rejects(import_id)
    await caller.call("RevertImport", pb.RevertImportRequest(import_id=import_id))
    assert (contact.name, contact.phone_number, dict(contact.attributes.items())) == (
        "张三",
        "+8613800144041",
        {"城市": "北京"},
    )
    # Line and offset of a rejected row count from the start of the file.
    (refused,) = rejects
    codec_without_mark = codec.removesuffix("-sig").replace("utf-16", "utf-16-le")
    mark = len("".encode(codec))
    before = text[: text.index("x" + ("," if "," in text else ";"))]
    assert refused.line == before.count("\n") + 1
    assert refused.byte_offset == mark + len(before.encode(codec_without_mark))


async def test_a_mapped_name_makes_its_row_the_header(caller: Caller, shared_service: Service) -> None:
    column = import_pb2.ColumnMapping(column="Cod. 12345", field=import_pb2.CONTACT_FIELD_PHONE_NUMBER)
    for title in ("", "Lista,,\n"):
        data = f"{title}Alias,Cod. 12345,Lugar\nAna,612 34 56 78,Vigo\n".encode()
        found, reasons = await imported(caller, shared_service, data, default_region="ES", mapping=[column])
        assert ([one.phone_number for one in found], reasons) == (["+34612345678"], [])
        assert dict(found[0].attributes.items()) == {"Alias": "Ana", "Lugar": "Vigo"}


async def test_a_file_without_a_header_has_all_its_rows(caller: Caller, shared_service: Service) -> None:
    data = b"Ann,mobile,\nBob,mobile,13800144076\nCai,mobile,13800144077\n"
    found, reasons = await imported(caller, shared_service, data, default_region="CN")
    assert {one.phone_number for one in found} == {"+8613800144076", "+8613800144077"}
    assert reasons == ["PHONE_EMPTY"]
