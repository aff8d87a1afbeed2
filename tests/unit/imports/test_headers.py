"""Header recognition: usual headers in 14 languages, and headers that mean something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bossjy_server.imports.reading.headers import meaning_of
from bossjy_server.imports.reading.mapping import looks_like_header, resolve_mapping
from bossjy_server.imports.records import ContactField

F = ContactField
NUMBERS = ("13800144001", "+86 138 0014 4002")
CELLS = {
    "PHONE_NUMBER": NUMBERS,
    "EMAIL": ("ann@example.com", "bob@example.com"),
    "COUNTRY": ("DE", "China"),
}
ROWS = [line.split("\t") for line in Path(__file__).with_name("headers.tsv").read_text("utf-8").splitlines()]
# Cells that look like phone numbers do not make these phone columns.
NOT_PHONES = """
    Fax|Business Fax|Fax Number|Order number|Order No.|Customer ID|Record ID|Phone Type|Phone 1 - Label|Account number
    Phone verified|Phone ID|Telephone bill|House number|Tracking number|Card number|Extension|IMEI|Employee ID|Zip
    传真|传真号码|订单号|订单编号|身份证号码|手机型号|会员卡号|QQ号|微信号|快递单号|工号|邮编|手机品牌|银行卡号|验证码
    傳真|訂單編號|身分證字號|統一編號|Número de pedido|Código postal|Faxnummer|Kundennummer|Bestellnummer|Kontonummer
    Numéro de commande|Code postal|Número do pedido|CPF|Partita IVA|Numero ordine|注文番号|郵便番号|ファックス番号
    会員番号|팩스번호|주문번호|사업자등록번호|Факс|Номер заказа|ИНН|Số fax|Mã đơn hàng|Số tài khoản|Faks
    Sipariş numarası|رقم الطلب|الفاكس|رقم الهوية|Island|Notes|City|品名|状态|Número do cliente
    Nº de cliente|Is mobile|Mobile OS|Phone calls|Number of phones|S/N|#|SSN|客户编号|Numéro client|Région
"""


@pytest.mark.parametrize("cells_of", [CELLS, {}], ids=["with cells", "by the name"])
def test_usual_headers_in_14_languages_are_recognised(cells_of: dict[str, tuple[str, ...]]) -> None:
    assert len(ROWS) >= 100
    assert len({language for language, *_ in ROWS if language != "-"}) == 14
    missed = []
    for language, header, field in ROWS:
        meaning = meaning_of(header, cells_of.get(field, ()))
        wanted = F.ATTRIBUTE if field == "COMPANY" else ContactField[field]
        if meaning is None or meaning.field is not wanted:
            missed.append((language, header, meaning))
    assert not missed


@pytest.mark.parametrize(
    "header", [one.strip() for line in NOT_PHONES.split("\n") for one in line.split("|") if one.strip()]
)
def test_identifiers_faxes_and_orders_are_no_phones(header: str) -> None:
    for cells in (NUMBERS, ()):
        meaning = meaning_of(header, cells)
        assert meaning is None or meaning.field is F.ATTRIBUTE


def test_cells_decide_where_the_name_can_mean_several_things() -> None:
    def field(header: str, *cells: str) -> ContactField | None:
        meaning = meaning_of(header, cells)
        return None if meaning is None else meaning.field

    assert field("Contact", "Ann Lee", "Bob") is F.NAME
    assert field("Contact", *NUMBERS) is F.PHONE_NUMBER
    assert field("Phone or email", "ann@example.com") is F.EMAIL
    assert field("Phone or email", *NUMBERS) is F.PHONE_NUMBER
    assert field("联系方式", "邮箱", "微信") is None
    assert field("Violin teacher hotline phone", *NUMBERS) is F.PHONE_NUMBER
    assert field("Violin phone", "yes", "no") is None
    assert field("区号", "+86", "+1") is F.COUNTRY
    assert field("区号", "010", "0755") is None
    assert field("区号", "10", "20") is None
    assert field("Country code", "+44", "86") is F.COUNTRY
    assert field("国际区号", "1", "44") is F.COUNTRY


def fields(*columns: str, **cells: list[str]) -> dict[str, str]:
    """The columns that are not kept as attributes."""
    mapping = resolve_mapping(columns, (), drop_unknown=False, cells=[cells.get(column, []) for column in columns])
    return {one.column: one.field.name for one in mapping if one.field is not F.ATTRIBUTE}


def test_of_several_phone_columns_the_contacts_own_comes_first() -> None:
    assert fields("Assistant's Phone", "Business Phone", "Mobile Phone", "Home Phone") == {
        "Business Phone": "OTHER_NUMBER",
        "Mobile Phone": "PHONE_NUMBER",
        "Home Phone": "OTHER_NUMBER",
    }
    assert fields("Work Phone") == {"Work Phone": "PHONE_NUMBER"}
    assert fields("紧急联系电话") == {"紧急联系电话": "PHONE_NUMBER"}


def test_a_calling_code_goes_before_a_country() -> None:
    columns = {"Country": ["China"], "Dial code": ["+86"], "Phone": ["13800144001"]}
    assert fields(*columns, **columns) == {"Dial code": "COUNTRY", "Phone": "PHONE_NUMBER"}


def test_a_name_beside_a_family_name_is_the_given_name() -> None:
    assert fields("Nombre", "Apellidos", "Teléfono")["Nombre"] == "GIVEN_NAME"
    assert fields("Name", "Vorname", "Telefon")["Name"] == "FAMILY_NAME"
    assert fields("Nom", "Prénom", "Téléphone")["Nom"] == "FAMILY_NAME"
    assert fields("Name", "Phone")["Name"] == "NAME"


def test_a_value_that_the_next_rows_repeat_is_no_header() -> None:
    assert not looks_like_header(["Ann", "mobile", ""], [["Bob", "mobile", "13800144076"]])
    assert looks_like_header(["姓名", "手机号(2024-2025学年)"], [["张三", "13800144035"]])
