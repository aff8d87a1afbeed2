from __future__ import annotations

from importlib.resources import files

import phonenumbers
import pytest

from bossjy_numbering import RegionHints

HINTS = RegionHints()
READ = {
    "CN": "cn CHN 86 +86 0086 (+86) 86.0 China 中国 中國 中国大陆 中华人民共和国 CN-中国 中国+86 China/中国 🇨🇳",
    "DE": "DEU +49 Deutschland Allemagne Германия ドイツ 독일 ألمانيا 德國",
    "GB": "UK GBR England Scotland 英国 GB-ENG",
    "JM": "Jamaica 牙买加 +1876 1-876 +1(876)",
    "KZ": "Kazakhstan +77 哈萨克斯坦",
    "NG": "NGA Nigeria",
    "RU": "RUS Nga Россия 7",
    "US": "U.S. u.s.a. USA +1 1 001 America 美国 美利坚合众国",
    "HK": "香港 中国香港 HongKong 852 香港特别行政区",
    "CZ": "捷克 Czechia",
}
IN_WORDS = {
    "China (CN)": "CN",
    "P.R. China": "CN",
    "CN - China": "CN",
    "+86 中国": "CN",
    "Korea, Republic of": "KR",
    "Korea, Democratic People's Republic of": "KP",
    "Korea (the Democratic People's Republic of)": "KP",
    "Congo, The Democratic Republic of the": "CD",
    "Congo (DRC)": "CD",
    "刚果（金）": "CD",
    "刚果（布）": "CG",
    "Congo": "CG",
    "Virgin Islands, U.S.": "VI",
    "Virgin Islands (British)": "VG",
    "Hong Kong SAR China": "HK",
    "Hong Kong, China": "HK",
    "Macau SAR": "MO",
    "Taiwan, Province of China": "TW",
    "Iran, Islamic Republic of": "IR",
    "Bolivia (Plurinational State of)": "BO",
    "Cote d'Ivoire": "CI",
    "Bosnia & Herzegovina": "BA",
    "St Kitts and Nevis": "KN",
    "The Bahamas": "BS",
    "Gambia, The": "GM",
    "Myanmar (Burma)": "MM",
    "India (Mumbai)": "IN",
    "French Republic": "FR",
    "Socialist Republic of Viet Nam": "VN",
    "People's Republic of Bangladesh": "BD",
}
UNREAD = ["", "Mordor", "某国", "999", "0", "0755", "010", "x" * 101, "US/Canada", "Georgia, USA", "Korea (X)", "/"]


@pytest.mark.parametrize(("region", "hints"), READ.items())
def test_hints_of_one_word_are_read(region: str, hints: str) -> None:
    assert {hint: HINTS.region(hint) for hint in hints.split()} == dict.fromkeys(hints.split(), region)


def test_hints_of_several_words_are_read() -> None:
    assert {hint: HINTS.region(hint) for hint in IN_WORDS} == IN_WORDS


def test_a_hint_that_names_no_region_or_several_is_not_read() -> None:
    assert {hint: HINTS.region(hint) for hint in UNREAD} == dict.fromkeys(UNREAD)


def test_each_region_is_read_by_its_names_in_chinese_and_english() -> None:
    lines = files("bossjy_numbering").joinpath("region_words.txt").read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if not line.startswith("#")]
    assert {row[0] for row in rows} >= set(phonenumbers.SUPPORTED_REGIONS) - {"001"}
    wrong = [(row[0], name) for row in rows for name in row[1:] if HINTS.region(name) != row[0]]
    assert not wrong


def test_calling_codes_are_told_from_area_codes() -> None:
    codes = ["+86", "86", "0086", "+1-876", "886", "1"]
    assert [HINTS.is_calling_code(code) for code in codes] == [True] * len(codes)
    assert [HINTS.is_calling_code(code) for code in ("010", "0755", "CN", "", "13800138000", "999")] == [False] * 6
