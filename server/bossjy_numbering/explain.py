"""Why a text is refused, at which digit, and what may have been meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bossjy_numbering.fixes import Ask, Fix, FixKind, fix_steps, is_unrecoverable
from bossjy_numbering.steps import Steps
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import InvalidReason, Number, NumberType

_SAID = {
    "en": {
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
    "zh": {
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
}
_FAILED = {
    "en": " No number of the plan goes on after digit {place} ({digit}) of the national number.",
    "zh": "号码方案中没有以前 {place} 位开头的号码：第 {place} 位是 {digit}。",
}
_UNRECOVERABLE = {
    "en": "A spreadsheet rounded the number, and the lost digits cannot be known: export the column as text.",
    "zh": "电子表格把号码舍入成了科学记数法，丢失的数字无法恢复：请把该列按文本导出。",
}
_DONE = {
    "en": {
        FixKind.ADD_PLUS: "Put a + before the calling code.",
        FixKind.REMOVE_TRUNK_PREFIX: "Took out the national trunk prefix behind the calling code.",
        FixKind.ADD_DIGIT: "Added the digit that the plan now asks for.",
        FixKind.REMOVE_DIGIT: "Took out a digit that the plan has dropped.",
        FixKind.RESTORE_LEADING_ZERO: "Put back a leading zero.",
        FixKind.REMOVE_DECIMAL: "Cut off the decimals that a spreadsheet added.",
        FixKind.ASSUME_REGION: "Assumed the region {region}.",
        FixKind.REMOVE_CHARACTERS: "Took out characters that do not belong to the number.",
    },
    "zh": {
        FixKind.ADD_PLUS: "在国际区号前加上 +。",
        FixKind.REMOVE_TRUNK_PREFIX: "去掉国际区号后的国内长途字冠。",
        FixKind.ADD_DIGIT: "补上号码方案现在要求的数字。",
        FixKind.REMOVE_DIGIT: "去掉号码方案已经取消的数字。",
        FixKind.RESTORE_LEADING_ZERO: "恢复开头的 0。",
        FixKind.REMOVE_DECIMAL: "去掉电子表格加上的小数。",
        FixKind.ASSUME_REGION: "假定地区为 {region}。",
        FixKind.REMOVE_CHARACTERS: "去掉不属于号码的字符。",
    },
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text is valid or not."""

    number: Number
    # First digit of the national number, from 0, with which no valid number begins any more; -1 if there is none.
    failed_digit: int
    # In words, in the language that was asked for.
    text: str
    # Each a valid number with what was done, in words; the likeliest first.
    fixes: tuple[Fix, ...]
    fix_texts: tuple[str, ...]
    # Digits were lost before the text came here.
    unrecoverable: bool


class Explainer:
    """Explains answers of a plan."""

    def __init__(self, tables: Tables, ask: Ask) -> None:
        self._ask = ask
        self._step = tables.step
        self._start = dict(zip(tables.calling_codes.tolist(), tables.calling_code_state.tolist(), strict=True))
        self._regions = tuple(sorted(region.code for region in tables.regions if region.code != "001"))
        # By state: whether a valid number can still come of it. Prefix states are not asked for.
        outcomes = np.minimum(tables.outcome, len(tables.outcome_type) - 1)
        live = tables.outcome_type[outcomes] != NumberType.UNKNOWN
        while True:
            wider = live | live[tables.step].any(axis=1)
            if bool((wider == live).all()):
                break
            live = wider
        self._live = live

    def explain_steps(self, text: str, default_region: str | None, language: str) -> Steps[Explanation]:
        """Explains one text. `language`: `zh` and its variants; anything else reads English."""
        tongue = "zh" if language.lower().split("-")[0].split("_")[0] == "zh" else "en"
        number = self._ask(text, default_region)
        unrecoverable = is_unrecoverable(text) and not number.valid
        failed = self._failed_digit(number)
        said = _UNRECOVERABLE[tongue] if unrecoverable else _SAID[tongue][number.reason]
        if failed >= 0 and not unrecoverable:
            said += _FAILED[tongue].format(place=failed + 1, digit=number.national_digits[failed])
        fixes = yield from fix_steps(text, default_region, number, self._regions, self._ask)
        done = tuple(_DONE[tongue][fix.kind].format(region=fix.number.region) for fix in fixes)
        return Explanation(number, failed, said, fixes, done, unrecoverable)

    def _failed_digit(self, number: Number) -> int:
        if number.error or number.valid:
            return -1
        state = self._start[number.calling_code]
        for place, digit in enumerate(number.national_digits):
            state = int(self._step[state, int(digit)])
            if not self._live[state]:
                return place
        return -1
