from __future__ import annotations

import pytest

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.mapping import (
    column_names,
    field_of_name,
    find_column,
    likely_phone_column,
    looks_like_header,
    resolve_mapping,
)
from bossjy_server.imports.records import ColumnMapping, ContactField

F = ContactField


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("手机号", F.PHONE_NUMBER),
        (" 联系电话 ", F.PHONE_NUMBER),
        ("Phone Number", F.PHONE_NUMBER),
        ("MOBILE_NO.", F.PHONE_NUMBER),
        ("e-mail", F.EMAIL),
        ("姓名", F.NAME),
        ("国家/地区", F.COUNTRY),
        ("Country Code", F.COUNTRY),
        ("备注", None),
        ("", None),
    ],
)
def test_names_in_chinese_and_english_are_known(name: str, field: ContactField | None) -> None:
    assert field_of_name(name) is field


def fields(columns: list[str], *asked: ColumnMapping, drop: bool = False) -> list[ContactField]:
    return [one.field for one in resolve_mapping(columns, asked, drop_unknown=drop)]


def test_a_second_phone_column_is_a_further_number() -> None:
    assert fields(["手机", "电话", "x"]) == [F.PHONE_NUMBER, F.OTHER_NUMBER, F.ATTRIBUTE]
    assert fields(["手机", "x"], drop=True) == [F.PHONE_NUMBER, F.IGNORE]


def test_what_is_asked_goes_before_what_is_recognised() -> None:
    asked = ColumnMapping("x", F.PHONE_NUMBER)
    assert fields(["手机", "x"], asked) == [F.OTHER_NUMBER, F.PHONE_NUMBER]
    assert fields(["name", "phone", "姓名"], ColumnMapping("姓名", F.NAME)) == [F.ATTRIBUTE, F.PHONE_NUMBER, F.NAME]


@pytest.mark.parametrize(
    "asked",
    [
        [ColumnMapping("nowhere", F.NAME)],
        [ColumnMapping("x", F.NAME), ColumnMapping("y", F.NAME)],
        [ColumnMapping("x", F.NAME), ColumnMapping("x", F.EMAIL)],
        [ColumnMapping("x", F.ATTRIBUTE, "a"), ColumnMapping("y", F.ATTRIBUTE, "a")],
        [ColumnMapping("x", F.ATTRIBUTE, "y")],
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(asked: list[ColumnMapping]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolve_mapping(["phone", "x", "y"], asked, drop_unknown=False)
    assert caught.value.reason is Reason.MAPPING_INVALID


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Teléfono", "Teléfono"),
        ("Tele\u0301fono", "Teléfono"),
        ("teléfono ", "Teléfono"),
        ("手机号(必填)", "手机号（必填）"),
        ("column_3", "x"),
        ("column_4", ""),
        ("tel", ""),
    ],
)
def test_a_column_is_named_in_any_form(asked: str, found: str) -> None:
    assert find_column(["Teléfono", "手机号（必填）", "x"], asked) == found


def test_an_unknown_column_is_told_with_those_that_the_file_has() -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolve_mapping(["Ort", "Telefon"], [ColumnMapping("Telefone", F.PHONE_NUMBER)], drop_unknown=False)
    assert caught.value.reason is Reason.MAPPING_INVALID
    assert "It has: Telefon, Ort." in caught.value.message


def test_more_than_a_hundred_attributes_are_refused() -> None:
    columns = ["phone", *(f"c{n}" for n in range(101))]
    with pytest.raises(InvalidArgument) as caught:
        resolve_mapping(columns, [], drop_unknown=False)
    assert caught.value.reason is Reason.TOO_MANY_COLUMNS
    assert len(resolve_mapping(columns, [], drop_unknown=True)) == 102


def test_column_names_are_unique_and_never_empty() -> None:
    assert column_names([" a ", "", "a", "a_2", "a"]) == ("a", "column_2", "a_2", "a_2_2", "a_3")


def test_a_name_that_was_guarded_in_a_file_of_rejects_comes_back() -> None:
    assert column_names(["'=a", "'b", "'+c'"]) == ("=a", "'b", "+c'")


def test_a_header_is_told_from_a_row() -> None:
    assert looks_like_header(["姓名", "手机号"])
    assert not looks_like_header(["张三", "13800138000"])
    assert not looks_like_header(["phone", "13800138000"])
    assert likely_phone_column(["张三", "2026", "+86 138 0013 8000"]) == 2
    assert likely_phone_column(["张三", "北京市 1234567 号"]) == -1
