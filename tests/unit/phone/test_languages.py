from __future__ import annotations

import pytest

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.phone.languages import language_of, names_of
from bossjy_server.phone.region_names import region_name


@pytest.mark.parametrize("tag", ["$$$", "e", "zh--Hant", "zh-", "en us", "toolonglanguage", "1"])
def test_what_is_no_tag(tag: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        language_of(tag)
    assert caught.value.reason is Reason.LANGUAGE_UNKNOWN
    assert caught.value.violations[0].field == "language"


def test_tags() -> None:
    assert [language_of(tag) for tag in ("", "zh", "zh-Hant-TW", "zh_Hant")] == ["en", "zh", "zh-Hant-TW", "zh_Hant"]


def test_the_case_of_a_tag_says_nothing() -> None:
    assert names_of("ZH-hant-tw") == ("zh_Hant_TW", "zh_Hant", "zh")
    assert len({region_name("TW", tag) for tag in ("zh-hant", "ZH-HANT", "zh_Hant")}) == 1
    assert region_name("TW", "xx") == "Taiwan"
