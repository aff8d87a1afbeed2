from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bossjy_numbering import Number, ParseError, Plan
from bossjy_numbering.enrich import Enrichment, load_enrichment
from bossjy_numbering.enrich.build import build_aside
from bossjy_numbering.enrich.intervals import Intervals, flatten, key_of, keys_of
from bossjy_numbering.enrich.languages import hidden, names_in_order, parse_language
from bossjy_numbering.enrich.names import Texts, pack_names, unpack_names
from bossjy_numbering.types import not_a_number

# The first load of a version builds the tables.
pytestmark = pytest.mark.timeout(300)

digits = st.text("0123456789", min_size=1, max_size=5)
KEYS = ("en", "zh", "zh_Hant", "fr", "ja")


@pytest.fixture(scope="module")
def enrichment() -> Enrichment:
    return load_enrichment()


@pytest.mark.parametrize(
    ("text", "language", "place", "carrier", "zones"),
    [
        ("+498912345678", "en", "Munich", "", ("Europe/Berlin",)),
        ("+498912345678", "de", "München", "", ("Europe/Berlin",)),
        ("+8613800138000", "zh", "北京市", "中国移动", ("Asia/Shanghai",)),
        ("+8613800138000", "en", "Beijing", "China Mobile", ("Asia/Shanghai",)),
        ("+8675526881234", "zh-Hans-CN", "广东省深圳市", "", ("Asia/Shanghai",)),
        # Chinese readers get the country rather than a place in English.
        ("+442079460123", "zh", "英国", "", ("Europe/London",)),
        ("+442079460123", "fr", "London", "", ("Europe/London",)),
        ("+41446681800", "it", "Zurigo", "", ("Europe/Zurich",)),
        ("+442079460123", "ja", "イギリス", "", ("Europe/London",)),
        ("+442079460123", "tlh", "London", "", ("Europe/London",)),
        ("+886223456789", "zh-Hant", "臺北", "", ("Asia/Taipei",)),
        ("+886223456789", "zh", "台北", "", ("Asia/Taipei",)),
        ("+5491123456789", "en", "Buenos Aires", "", ("America/Buenos_Aires",)),
        # Valid in several countries at once, so it has no country.
        ("+18002345678", "en", "", "", None),
        # Not valid.
        ("+86123", "en", "", "", ("Etc/Unknown",)),
    ],
)
def test_known_answers(  # noqa: PLR0917 - columns of the table above
    plan: Plan,
    enrichment: Enrichment,
    text: str,
    language: str,
    place: str,
    carrier: str,
    zones: tuple[str, ...] | None,
) -> None:
    number = plan.number(text)
    assert enrichment.place(number, language) == place
    assert enrichment.carrier(number, language) == carrier
    if zones is not None:
        assert enrichment.time_zones(number) == zones


def test_numbers_from_elsewhere_have_a_country_and_no_place(plan: Plan, enrichment: Enrichment) -> None:
    number = plan.number("+442079460123")
    assert enrichment.place(number, "en", "GB") == "London"
    assert enrichment.place(number, "en", "US") == "United Kingdom"
    assert enrichment.place(number, "zz", "US") == ""


def test_a_carrier_is_safe_where_numbers_cannot_be_ported(plan: Plan, enrichment: Enrichment) -> None:
    portable, kept = plan.number("+447400123456"), plan.number("+8613800138000")
    assert enrichment.carrier(portable) != ""
    assert enrichment.safe_carrier(portable) == ""
    assert (enrichment.safe_carrier(kept) == "") == ("CN" in enrichment.tables.portable)


@pytest.mark.parametrize("error", [error for error in ParseError if error != ParseError.NONE])
def test_what_is_no_number_has_no_answers(enrichment: Enrichment, error: ParseError) -> None:
    number: Number = not_a_number(error)
    assert enrichment.place(number, "zh", "CN") == enrichment.place_of_valid(number) == ""
    assert enrichment.carrier(number) == enrichment.carrier_of_valid(number) == enrichment.safe_carrier(number) == ""
    assert enrichment.time_zones(number) == enrichment.time_zones_of_geographic(number) == ("Etc/Unknown",)


@pytest.mark.parametrize("tag", ["", "-", "_", "zh-", "x" * 4096, "\ud800", "日本", "en-US-posix", "*zh", "1-2-3"])
def test_any_text_may_be_a_language(plan: Plan, enrichment: Enrichment, tag: str) -> None:
    number = plan.number("+498912345678")
    assert enrichment.place(number, tag) in {"Munich", "Germany", "德国", ""}
    assert enrichment.place_column(plan.column(["+498912345678"]), tag).to_list() == [enrichment.place(number, tag)]


def test_languages_are_remembered_within_bounds(plan: Plan, enrichment: Enrichment) -> None:
    number = plan.number("+498912345678")
    for language in range(3000):
        enrichment.place(number, f"q{language}")
    assert len(enrichment.tables._readings) <= 1024
    assert len(enrichment.tables._serving) <= 100


def test_tags_have_language_script_and_region() -> None:
    assert parse_language("zh-Hant-TW") == parse_language("ZH_hant_tw") == ("zh", "Hant", "TW")
    assert parse_language("pt-BR") == ("pt", None, "BR")
    assert parse_language("de") == ("de", None, None)
    assert parse_language("sl-rozaj-biske-1994") == ("sl", None, None)


def test_names_fall_back_as_libphonenumber_tells() -> None:
    assert names_in_order("zh", None, "TW") == ("zh_Hant", "zh_TW", "zh")
    assert names_in_order("zh", "Hant", None) == ("zh_Hant", "zh")
    assert names_in_order("pt", None, "BR") == ("pt_BR", "pt", "en")
    assert names_in_order("sr", "Latn", "RS") == ("sr_Latn_RS", "sr_Latn", "sr_RS", "sr", "en")


@example({"2": 1, "00000": 1}, ["7"])  # a key beyond the starts' type
@given(st.dictionaries(digits, st.integers(1, 4)), st.lists(digits, min_size=1))
def test_intervals_answer_by_the_longest_prefix(prefixes: dict[str, int], asked: list[str]) -> None:
    width = max(map(len, prefixes), default=1)
    intervals = Intervals(*flatten(prefixes.items(), width, lambda _, own: own), width)
    # Numbers near a border of an interval.
    asked += [near for prefix in prefixes for near in (prefix, prefix[:-1] or "0", prefix + "0", prefix + "9")]
    expected = [
        next((prefixes[one[:size]] for size in range(len(one), 0, -1) if one[:size] in prefixes), 0) for one in asked
    ]
    assert [intervals.value(one) for one in asked] == expected
    data = np.frombuffer("".join(asked).encode(), np.uint8)
    lengths = np.array([len(one) for one in asked], np.int64)
    keys = keys_of(data, np.cumsum(lengths) - lengths, lengths, width)
    assert keys.tolist() == [key_of(one, width) for one in asked]
    assert intervals.values(keys).tolist() == expected


names = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(("a", "b", "c", "d")), min_size=1)


@settings(max_examples=300)
@given(st.dictionaries(st.text("01", min_size=1, max_size=4), names, min_size=1))
def test_names_of_shorter_prefixes_serve_where_the_longer_have_none(prefixes: dict[str, dict[str, str]]) -> None:
    texts = Texts()
    header, arrays = pack_names({prefix: tuple(held.items()) for prefix, held in prefixes.items()}, texts)
    packed = unpack_names(header, arrays)
    for asked in ("0000", "0101", "1", "0110", *prefixes):
        for order in (
            names_in_order(*parse_language(tag)) for tag in ("en", "zh", "zh-Hant", "zh-TW", "fr", "ja", "xx")
        ):
            expected = ""
            for size in range(len(asked), 0, -1):
                held = prefixes.get(asked[:size], {})
                expected = next((held[key] for key in order if key in held), "")
                if expected:
                    break
            assert texts.held[packed.serving(order)[packed.intervals.value(asked)]] == expected


def test_a_second_script_of_a_language_is_refused() -> None:
    with pytest.raises(ValueError, match="several scripts"):
        pack_names({"1": (("sr_Latn", "a"), ("sr_Cyrl", "b"))}, Texts())
    assert hidden("zh_Hant", {"zh": "a"})
    assert not hidden("zh", {"zh_Hant": "a", "en": "b"})


def test_a_column_is_a_dictionary_array(plan: Plan, enrichment: Enrichment) -> None:
    texts = ["+8613800138000", "nothing", "+442079460123", "+8613800138000", "+18002345678"]
    labels = enrichment.place_column(plan.column(texts), "zh")
    assert labels.indices.dtype == np.int32
    assert labels.values[0] == ""
    assert sorted(labels.values[1:]) == ["北京市", "英国"]
    array: Any = pa.DictionaryArray.from_arrays(labels.indices, pa.array(labels.values))
    assert array.to_pylist() == labels.to_list() == ["北京市", "", "英国", "北京市", ""]
    zones = enrichment.time_zone_column(plan.column(texts))
    assert zones.values[0] == ("Etc/Unknown",)
    assert zones.to_list()[:3] == [("Asia/Shanghai",), ("Etc/Unknown",), ("Europe/London",)]


def test_an_empty_column_has_the_empty_answer_alone(plan: Plan, enrichment: Enrichment) -> None:
    column = plan.column([])
    assert enrichment.place_column(column, "zh", "CN").values == enrichment.carrier_column(column).values == [""]
    assert len(enrichment.time_zone_column(column)) == 0


def test_long_columns_answer_as_short_ones(plan: Plan, enrichment: Enrichment) -> None:
    texts = ["+8613800138000", "+442079460123", "+5492235151234", "+12125550123", ""]
    column = plan.column(texts * 20_000)
    for labels, short in (
        (enrichment.place_column(column, "en", "AR"), enrichment.place_column(plan.column(texts), "en", "AR")),
        (enrichment.carrier_column(column, "zh"), enrichment.carrier_column(plan.column(texts), "zh")),
        (enrichment.time_zone_column(column), enrichment.time_zone_column(plan.column(texts))),
    ):
        assert labels.to_list() == short.to_list() * 20_000


def test_pickled_it_loads_the_same_tables(enrichment: Enrichment) -> None:
    assert pickle.loads(pickle.dumps(enrichment)) is enrichment  # noqa: S301 - our own


def test_a_build_that_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        build_aside(timeout_s=0.01)


def test_a_build_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "phonenumbers"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('a broken phonenumbers')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="a broken phonenumbers"):
        build_aside()


def test_all_languages_together_stay_below_40_mib_without_the_peers_data(enrichment: Enrichment) -> None:
    assert enrichment.version
    program = (
        "import json, sys\n"
        "from tests.performance.numbering.enrich_figures import memory\n"
        "print(json.dumps([memory(all_languages=True)['mib'], 'phonenumbers.geodata' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    mib, imported = json.loads(done.stdout)
    assert 0 < mib < 40
    assert not imported
