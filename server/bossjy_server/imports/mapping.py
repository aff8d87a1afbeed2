"""What the columns of a file mean: by what the caller says, else by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bossjy_server.errors import FailedPrecondition, InvalidArgument, Reason
from bossjy_server.imports.records import ColumnMapping, ContactField

# Names as people write them, compared without case, spaces and signs. Extend here.
_NAMES: dict[ContactField, str] = {
    ContactField.PHONE_NUMBER: """
        手机号 手机号码 手机 移动电话 移动电话号码 电话 电话号码 联系电话 联系手机 联系号码 联系方式 号码 本机号码
        手機 手機號碼 電話 電話號碼 聯絡電話
        phone phonenumber phoneno mobile mobilenumber mobileno mobilephone cell cellphone cellnumber tel telephone
        telephonenumber telno contactnumber contactno number msisdn handphone whatsapp e164 primaryphone
        customerphone userphone""",
    ContactField.OTHER_NUMBER: """
        其他电话 备用电话 备用手机 备用号码 第二电话 家庭电话 办公电话 固定电话 座机 固话 公司电话 住宅电话
        电话2 手机2 手机号2 電話2
        otherphone othernumber phone2 phonenumber2 mobile2 tel2 secondaryphone alternatephone altphone homephone
        workphone officephone businessphone landline""",
    ContactField.NAME: """
        姓名 名字 名称 客户姓名 客户名称 客户名 联系人 联系人姓名 用户名 用户姓名 收件人 收货人 顾客 姓名全称
        聯絡人 名稱
        name fullname contact contactname customer customername clientname username displayname person""",
    ContactField.EMAIL: """
        邮箱 电子邮箱 电子邮件 邮件 邮箱地址 邮件地址 信箱
        電郵 電子郵件
        email mail emailaddress mailaddress""",
    ContactField.COUNTRY: """
        国家 国家地区 国家或地区 国家代码 地区代码 国别
        國家 國家地區
        country countrycode countryname countryregion nation iso iso2 isocode regioncode""",
    # What ExportRejectedRows writes behind the columns.
    ContactField.IGNORE: "bossjyline bossjycolumn bossjyreason bossjysuggestion bossjyrow",
}
_FIELD_BY_NAME = {name: field for field, names in _NAMES.items() for name in names.split()}
_SIGNS = re.compile(r"[\s_\-./\\()（）:：*#'\"\[\]]+")
_PHONE_TEXT = re.compile(r"['=\"+(（]*\d[\d\s()（）.\-/\"]{5,}")
# One column each; further phone columns become other numbers.
_SINGLE = (
    ContactField.PHONE_NUMBER,
    ContactField.NAME,
    ContactField.EMAIL,
    ContactField.COUNTRY,
    ContactField.ATTRIBUTES,
)
_SHOWN_NAMES = 1000
# As the contract says of Contact.attributes.
MAX_ATTRIBUTES = 100


def field_of_name(column: str) -> ContactField | None:
    """What a column of this name means; None if the name is not known."""
    return _FIELD_BY_NAME.get(_SIGNS.sub("", column).casefold())


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether the first row names columns: one of its cells is a known name, and none is mostly digits."""
    if any(sum(character.isdigit() for character in cell) >= 5 for cell in cells):
        return False
    return any(field_of_name(cell) is not None for cell in cells)


def likely_phone_column(cells: Sequence[str]) -> int:
    """The first cell of a row that is written as numbers are; -1 for none. For files without a header."""
    for index, cell in enumerate(cells):
        text = cell.strip()
        if sum(c.isdigit() for c in text) >= 7 and _PHONE_TEXT.fullmatch(text):
            return index
    return -1


# As a file of rejects writes it, before what a spreadsheet takes for a formula.
_GUARD = re.compile(r"^'(?='*[=+\-@\t\r])")


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names for the cells of a header: trimmed, `column_N` where empty, `_2` behind a name that was there before.

    The apostrophe that guards a formula is taken off, as it is of cells: so a name comes back from a file of rejects.
    """
    names: list[str] = []
    taken: set[str] = set()
    for index, cell in enumerate(cells):
        name = _GUARD.sub("", cell.strip())[:1000] or f"column_{index + 1}"
        unique, copy = name, 2
        while unique in taken:
            unique, copy = f"{name}_{copy}", copy + 1
        taken.add(unique)
        names.append(unique)
    return tuple(names)


def resolve_mapping(
    columns: Sequence[str], asked: Sequence[ColumnMapping], *, drop_unknown: bool
) -> tuple[ColumnMapping, ...]:
    """What each column means, in the order of the file.

    Raises InvalidArgument(MAPPING_INVALID) where `asked` does not fit the columns, and
    FailedPrecondition(PHONE_COLUMN_MISSING) where no column is the number.
    """
    wanted = _asked_by_column(columns, asked)
    used = {one.field for one in wanted.values()}
    resolved: list[ColumnMapping] = []
    for column in columns:
        mapping = wanted.get(column)
        if mapping is None:
            field = field_of_name(column)
            if field is ContactField.PHONE_NUMBER and field in used:
                field = ContactField.OTHER_NUMBER
            if field is None or (field in _SINGLE and field in used):
                field = ContactField.IGNORE if drop_unknown else ContactField.ATTRIBUTE
            mapping = ColumnMapping(column, field, column if field is ContactField.ATTRIBUTE else "")
        used.add(mapping.field)
        resolved.append(mapping)
    _check_attributes(resolved)
    if ContactField.PHONE_NUMBER not in used:
        raise FailedPrecondition(
            Reason.PHONE_COLUMN_MISSING,
            "no column was recognised as the phone number: give a mapping with a column for it",
            metadata={"columns": ", ".join(columns)[:_SHOWN_NAMES]},
        )
    return tuple(resolved)


def _asked_by_column(columns: Sequence[str], asked: Sequence[ColumnMapping]) -> dict[str, ColumnMapping]:
    wanted: dict[str, ColumnMapping] = {}
    fields: set[ContactField] = set()
    attributes: set[str] = set()
    for one in asked:
        name = one.attribute or one.column
        if one.column not in columns:
            raise _invalid(one.column, "the file has no such column")
        if one.column in wanted:
            raise _invalid(one.column, "it is mapped twice")
        if one.field in _SINGLE and one.field in fields:
            raise _invalid(one.column, "another column has this field already")
        if one.field is ContactField.ATTRIBUTE and name in attributes:
            raise _invalid(one.column, "another column has this attribute already")
        fields.add(one.field)
        if one.field is ContactField.ATTRIBUTE:
            attributes.add(name)
        wanted[one.column] = ColumnMapping(one.column, one.field, name if one.field is ContactField.ATTRIBUTE else "")
    return wanted


def _check_attributes(mapping: Sequence[ColumnMapping]) -> None:
    names = [one.attribute for one in mapping if one.field is ContactField.ATTRIBUTE]
    if len(names) > MAX_ATTRIBUTES:
        raise InvalidArgument(
            Reason.TOO_MANY_COLUMNS,
            f"{len(names)} columns would be kept as attributes: map the ones that matter, and set drop_unknown_columns",
            metadata={"limit": str(MAX_ATTRIBUTES)},
        )
    # Cells that are no address or no number are kept under the name of their column.
    names += [one.column for one in mapping if one.field in (ContactField.EMAIL, ContactField.OTHER_NUMBER)]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(name, "an attribute has the name of another column")


def _invalid(column: str, why: str) -> InvalidArgument:
    return InvalidArgument(
        Reason.MAPPING_INVALID,
        f"the mapping does not hold: {why}; PreviewImport shows the columns",
        metadata={"column": column[:_SHOWN_NAMES]},
    )
