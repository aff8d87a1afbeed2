"""Equality with `phonenumbers`. The time limit allows for a slow import of its places without stored byte code."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from bossjy_numbering.enrich import source

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def proof() -> Any:
    return import_module("tests.performance.numbering.enrich_proof")


def test_every_97th_prefix_has_the_names_and_zones_of_phonenumbers(proof: Any) -> None:
    proved = proof.prove_prefixes(proof.prefixes()[5::97])
    assert proved.comparisons > 200_000
    assert proved.differences == []


def test_all_kinds_of_numbers_have_the_answers_of_phonenumbers(proof: Any) -> None:
    for drawn in (proof.examples(), proof.texts(1500, seed=3)):
        proved = proof.prove_texts(drawn, seed=4)
        assert proved.comparisons > 20 * len(drawn)
        assert proved.differences == []


def test_the_proof_sees_a_name_that_is_wrong(proof: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(proof.GEOCODE_DATA, "4989", {"en": "Monaco", "de": "München"})
    assert any("Monaco" in difference for difference in proof.prove_prefixes(["4989"]).differences)
    wrong = proof.prove_texts([("+498912345678", None)], seed=1).differences
    assert any("Monaco" in difference for difference in wrong)


def test_read_as_text_the_data_is_what_is_imported(proof: Any) -> None:
    for folder, data in (("geodata", proof.GEOCODE_DATA), ("carrierdata", proof.CARRIER_DATA)):
        read = source.read_as_text(Path(phonenumbers.__file__).parent / folder)
        assert read.keys() == data.keys()
        assert all(dict(names) == data[prefix] for prefix, names in read.items())
    assert source.country_names() == proof.LOCALE_DATA
    assert source.time_zones() == proof.TIMEZONE_DATA


@pytest.mark.parametrize(
    "text",
    [
        "data = {}\n",
        "\ndata = {\n '1':{'en': 'a'}\n}\n",
        "\ndata = {\n '1':{'en': f('a')},\n}\n",
        "\ndata = {\n '1':{'en': 'a'},\n}\nmore = 1\n",
    ],
)
def test_another_form_is_imported_instead(
    proof: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "carrierdata").mkdir()
    (tmp_path / "carrierdata" / "data0.py").write_text(text)
    monkeypatch.setattr(source, "_FOLDER", tmp_path)
    assert {prefix: dict(names) for prefix, names in source.carriers().items()} == proof.CARRIER_DATA
