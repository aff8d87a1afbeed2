"""Numbers that a region has renumbered, and prefixes that it has dropped: a small table with sources.

Each entry rewrites old national digits into those of today. The result counts only if the plan accepts it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bossjy_numbering.corrections.kinds import FixKind


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Rewrites national digits that match `pattern` as a whole."""

    kind: FixKind
    pattern: re.Pattern[str]
    replacement: str


def _rewrite(kind: FixKind, pattern: str, replacement: str) -> Rewrite:
    return Rewrite(kind, re.compile(pattern), replacement)


def _prefixes(kind: FixKind, pairs: str, tail: str) -> tuple[Rewrite, ...]:
    """`old>new` pairs of prefixes, each followed by `tail`."""
    split = (pair.split(">") for pair in pairs.split())
    return tuple(_rewrite(kind, rf"0?{old}({tail})", rf"{new}\1") for old, new in split)


# Mexico: the 1 after +52 and the prefixes 01, 044, 045 ended on 2019-08-03 (IFT, Plan Técnico Fundamental de
# Numeración).
_MX = (_rewrite(FixKind.REMOVE_DIGIT, r"(?:01|044|045|1)([2-9]\d{9})", r"\1"),)
# Brazil: a 9 before mobile numbers, area by area from 2012 to 2016 (Anatel, Resolução 553/2010).
_BR = (_rewrite(FixKind.ADD_DIGIT, r"0?([1-9]\d)([6-9]\d{7})", r"\g<1>9\2"),)
# Argentina: a 9 before mobile numbers that are called from abroad; 15 after the area code at home.
_AR = (_rewrite(FixKind.ADD_DIGIT, r"([1-9]\d{9})", r"9\1"),)
# Viet Nam: mobile numbers of eleven digits became ten from 2018-09-15 (Ministry of Information and Communications).
_VN = _prefixes(
    FixKind.RENUMBER,
    "162>32 163>33 164>34 165>35 166>36 167>37 168>38 169>39 120>70 121>79 122>77 126>76 128>78 "
    "123>83 124>84 125>85 127>81 129>82 186>56 188>58 199>59",
    r"\d{7}",
)
# Côte d'Ivoire: eight digits became ten on 2021-01-31 (ARTCI; ITU, communications on national numbering). Mobile: 01
# for Moov, 05 for MTN, 07 for Orange, by the second digit; fixed: 21, 25, 27 for the same, by the third.
_CI = (
    _rewrite(FixKind.RENUMBER, r"([04-9][0-3]\d{6})", r"01\1"),
    _rewrite(FixKind.RENUMBER, r"([04-9][456]\d{6})", r"05\1"),
    _rewrite(FixKind.RENUMBER, r"([04-9][789]\d{6})", r"07\1"),
    _rewrite(FixKind.RENUMBER, r"((?:2[0-4]|3[0-6])8\d{5})", r"21\1"),
    _rewrite(FixKind.RENUMBER, r"((?:2[0-4]|3[0-6])0\d{5})", r"25\1"),
    _rewrite(FixKind.RENUMBER, r"((?:2[0-4]|3[0-6])[1-79]\d{5})", r"27\1"),
)
# Benin: 01 before all numbers of eight digits since 2024-11-30 (ARCEP Bénin; ITU, communications on national
# numbering).
_BJ = (_rewrite(FixKind.RENUMBER, r"([2-9]\d{7})", r"01\1"),)

# Colombia: fixed lines became ten digits on 2021-09-01, with 60 before the area code (CRC, Resolución 5826 de 2019).
_CO = (_rewrite(FixKind.RENUMBER, r"0?([1-8][2-9]\d{6})", r"60\1"),)
# Egypt: mobile numbers became ten digits on 2011-10-06 (NTRA), each prefix another one.
_EG = _prefixes(FixKind.RENUMBER, "10>100 16>106 19>109 12>122 17>127 18>128 11>111 14>114", r"\d{7}")
# Morocco: 5 before fixed lines and 6 before mobile numbers since 2009-03-07 (ANRT).
_MA = (
    _rewrite(FixKind.RENUMBER, r"0?([23]\d{7})", r"5\1"),
    _rewrite(FixKind.RENUMBER, r"0?([14-7]\d{7})", r"6\1"),
)
# Ecuador: 9 before mobile numbers since 2012-09-30 (CONATEL).
_EC = (_rewrite(FixKind.RENUMBER, r"0?([89]\d{7})", r"9\1"),)
# Saudi Arabia: 1 before area codes of fixed lines since 2013 (CITC).
_SA = (_rewrite(FixKind.RENUMBER, r"0?([1-467]\d{7})", r"1\1"),)
# Cameroon: 6 before mobile numbers and 2 before fixed lines since 2014-11-21 (ART).
_CM = (
    _rewrite(FixKind.RENUMBER, r"([5-9]\d{7})", r"6\1"),
    _rewrite(FixKind.RENUMBER, r"([23]\d{7})", r"2\1"),
)
# Qatar: the first digit twice since 2010-07-28 (ictQATAR).
_QA = (_rewrite(FixKind.RENUMBER, r"([3-7])(\d{6})", r"\1\1\2"),)
# Mauritius: 5 before mobile numbers since 2013-09-01 (ICTA).
_MU = (_rewrite(FixKind.RENUMBER, r"([79]\d{6})", r"5\1"),)
# Costa Rica: 2 before fixed lines and 8 before mobile numbers since 2008-03-20 (ICE).
_CR = (
    _rewrite(FixKind.RENUMBER, r"([38]\d{6})", r"8\1"),
    _rewrite(FixKind.RENUMBER, r"([2457]\d{6})", r"2\1"),
)
# Russia: Moscow's 095 became 495, and other area codes in 0 became those in 4, on 2005-12-01 (Rossvyaz).
_RU = (_rewrite(FixKind.RENUMBER, r"8?0(\d{9})", r"4\1"),)

# By calling code. Applied only to texts that are not valid unchanged.
REWRITES: dict[int, tuple[Rewrite, ...]] = {
    7: _RU,
    20: _EG,
    52: _MX,
    54: _AR,
    55: _BR,
    57: _CO,
    84: _VN,
    212: _MA,
    225: _CI,
    229: _BJ,
    230: _MU,
    237: _CM,
    506: _CR,
    593: _EC,
    966: _SA,
    974: _QA,
}
