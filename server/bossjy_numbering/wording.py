"""Wording of explanations and corrections, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bossjy_numbering.corrections.doubts import Doubt
from bossjy_numbering.corrections.kinds import FixKind
from bossjy_numbering.shorts import ShortNumber
from bossjy_numbering.types import InvalidReason


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language."""

    reasons: dict[InvalidReason, str]
    failed: str
    unrecoverable: str
    unknown_region: str
    region_read: str
    text_too_long: str
    several: str
    no_such_code: str
    no_such_code_nor_region: str
    lengths: str
    shorts: dict[ShortNumber, str]
    doubts: dict[Doubt, str]
    done: dict[FixKind, str]


_ENGLISH = Words(
    reasons={
        InvalidReason.NONE: "It is a valid number.",
        InvalidReason.NOT_A_NUMBER: "The text is not a phone number: too few digits, or characters no number has.",
        InvalidReason.INVALID_COUNTRY_CODE: "It has no known calling code, and no region was given to assume one.",
        InvalidReason.TOO_SHORT_AFTER_IDD: "Nothing follows the international prefix.",
        InvalidReason.TOO_SHORT_NSN: "Fewer than two digits follow the calling code.",
        InvalidReason.TOO_SHORT: "It is shorter than every number of its region.",
        InvalidReason.TOO_LONG: "It is longer than every number of its region.",
        InvalidReason.INVALID_LENGTH: "Its region has no numbers of this length.",
        InvalidReason.LOCAL_ONLY: "The area code is missing: it can be dialled inside its area only.",
        InvalidReason.NOT_IN_PLAN: "Its length is right, but its region has no such number.",
    },
    failed=" No number of the plan continues after digit {place} ({digit}) of the national number.",
    unrecoverable=("A spreadsheet rounded the number, and the lost digits cannot be known: export the column as text."),
    unknown_region="`{region}` is not a region: give an ISO 3166 code such as CN, GB or US.",
    region_read="`{given}` is not a region code, and {region} was read for it. ",
    text_too_long="The text is longer than {most} characters: send one number at a time, or search it by FindNumbers.",
    several="The text contains {count} numbers: send them one at a time.",
    no_such_code="There is no calling code {code}.",
    no_such_code_nor_region="There is no calling code {code}, and no region was given to read it as a national number.",
    lengths=" It has {count} digits after the calling code; numbers there have {lengths}.",
    shorts={
        ShortNumber.SHORT: "It is a short number of {region}: it works inside that region only.",
        ShortNumber.EMERGENCY: "It is an emergency number of {region}, not a subscriber's number.",
    },
    doubts={
        Doubt.KEYPAD_LETTERS: " Letters were read as the digits of a keypad: check that they belong to it.",
        Doubt.EXPONENT: " The text is a number cell in exponent form, and its exponent was read as digits.",
        Doubt.DECIMAL_POINT: " The text is a number cell, and the zeros after its decimal point were read as digits.",
        Doubt.TEXT_DROPPED: " Text around the number was left out.",
        Doubt.DIGITS_DROPPED: " Digits of the text were left out.",
        Doubt.LETTERS_BETWEEN_DIGITS: " Letters between its digits were left out.",
        Doubt.SECOND_NUMBER: " Its extension is as long as a number: the text may contain two.",
        Doubt.LETTERS_FOR_DIGITS: " The text has letters that look like digits: O, l or I.",
    },
    done={
        FixKind.ADD_PLUS: "Put a + before the calling code.",
        FixKind.REMOVE_TRUNK_PREFIX: "Removed the national trunk prefix.",
        FixKind.ADD_DIGIT: "Added the digit that the plan now asks for.",
        FixKind.REMOVE_DIGIT: "Removed digits that the plan has dropped.",
        FixKind.RESTORE_LEADING_ZERO: "Put back a leading zero.",
        FixKind.REMOVE_DECIMAL: "Removed the decimals that a spreadsheet added.",
        FixKind.ASSUME_REGION: "Assumed the region {region}.",
        FixKind.REMOVE_CHARACTERS: "Removed characters that do not belong to the number.",
        FixKind.SEPARATE_EXTENSION: "Separated the extension from the number.",
        FixKind.SEPARATE_NUMBERS: "Took the first of several numbers.",
        FixKind.REPLACE_LETTERS: "Replaced letters that look like digits.",
        FixKind.WRITE_OUT: "Wrote the number cell out in full.",
        FixKind.RENUMBER: "Renewed the number after the region changed its plan.",
    },
)
_CHINESE = Words(
    reasons={
        InvalidReason.NONE: "号码有效。",
        InvalidReason.NOT_A_NUMBER: "这段文字不是电话号码：数字太少，或含有号码中不会出现的字符。",
        InvalidReason.INVALID_COUNTRY_CODE: "没有可识别的国际区号，也没有给出默认地区。",
        InvalidReason.TOO_SHORT_AFTER_IDD: "国际接入码之后没有号码。",
        InvalidReason.TOO_SHORT_NSN: "国际区号之后不足两位数字。",
        InvalidReason.TOO_SHORT: "号码比该地区所有号码都短。",
        InvalidReason.TOO_LONG: "号码比该地区所有号码都长。",
        InvalidReason.INVALID_LENGTH: "该地区没有这个长度的号码。",
        InvalidReason.LOCAL_ONLY: "缺少长途区号：只能在本地拨打。",
        InvalidReason.NOT_IN_PLAN: "长度正确，但该地区没有这样的号码。",
    },
    failed="号码方案中没有以前 {place} 位开头的号码：第 {place} 位是 {digit}。",
    unrecoverable="电子表格把号码舍入成了科学记数法，丢失的数字无法恢复：请把该列按文本导出。",
    unknown_region="“{region}”不是地区代码：请使用 CN、GB、US 等 ISO 3166 代码。",
    region_read="“{given}”不是地区代码，已按 {region} 理解。",
    text_too_long="文字超过 {most} 个字符：请每次只提交一个号码，或用 FindNumbers 查找。",
    several="这段文字含有 {count} 个号码：请逐个提交。",
    no_such_code="不存在国际区号 {code}。",
    no_such_code_nor_region="不存在国际区号 {code}，也没有给出可用来按国内号码理解的地区。",
    lengths="国际区号之后有 {count} 位数字；该地区的号码应有 {lengths} 位。",
    shorts={
        ShortNumber.SHORT: "这是 {region} 的短号码：只能在该地区内拨打，没有国际格式。",
        ShortNumber.EMERGENCY: "这是 {region} 的紧急号码，不属于任何用户。",
    },
    doubts={
        Doubt.KEYPAD_LETTERS: "其中的字母被当作键盘数字：请确认它们属于号码。",
        Doubt.EXPONENT: "这是科学记数法的数字单元格，指数被当作了号码数字。",
        Doubt.DECIMAL_POINT: "这是数字单元格，小数点后的零被当作了号码数字。",
        Doubt.TEXT_DROPPED: "号码前后的文字被略去。",
        Doubt.DIGITS_DROPPED: "文字中有数字被略去。",
        Doubt.LETTERS_BETWEEN_DIGITS: "号码数字之间的字母被略去。",
        Doubt.SECOND_NUMBER: "分机号与号码一样长：可能含有两个号码。",
        Doubt.LETTERS_FOR_DIGITS: "文字中有形似数字的字母：O、l 或 I。",
    },
    done={
        FixKind.ADD_PLUS: "在国际区号前加上 +。",
        FixKind.REMOVE_TRUNK_PREFIX: "去掉国内长途字冠。",
        FixKind.ADD_DIGIT: "补上号码方案现在要求的数字。",
        FixKind.REMOVE_DIGIT: "去掉号码方案已经取消的数字。",
        FixKind.RESTORE_LEADING_ZERO: "恢复开头的 0。",
        FixKind.REMOVE_DECIMAL: "去掉电子表格加上的小数。",
        FixKind.ASSUME_REGION: "假定地区为 {region}。",
        FixKind.REMOVE_CHARACTERS: "去掉不属于号码的字符。",
        FixKind.SEPARATE_EXTENSION: "把分机号与号码分开。",
        FixKind.SEPARATE_NUMBERS: "取多个号码中的第一个。",
        FixKind.REPLACE_LETTERS: "把形似数字的字母换成数字。",
        FixKind.WRITE_OUT: "把数字单元格完整写出。",
        FixKind.RENUMBER: "按该地区新的号码方案更新号码。",
    },
)


def words_of(language: str) -> Words:
    """The words of a language: Chinese for `zh` and its variants, English for any other."""
    return _CHINESE if language.lower().replace("_", "-").split("-")[0] == "zh" else _ENGLISH


def ranges(lengths: Iterable[int]) -> str:
    """Lengths as people write them: `7, 9-11`."""
    found: list[list[int]] = []
    for length in sorted(set(lengths)):
        if length > 0 and found and length == found[-1][1] + 1:
            found[-1][1] = length
        elif length > 0:
            found.append([length, length])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in found)
