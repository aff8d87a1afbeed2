"""Comparison of carrier, place and time zone with `phonenumbers`: `python -m tests.performance.numbering.enrich_proof`.

It compares at the borders of every prefix, in every language that is known near it; and for texts of all kinds, one
number and a column, in languages drawn from all. Importing the peer's places takes 100 MB and up to half a minute.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import phonenumbers
from phonenumbers import PhoneNumber, carrier, geocoder, timezone
from phonenumbers.carrierdata import CARRIER_DATA, CARRIER_LONGEST_PREFIX
from phonenumbers.geodata import GEOCODE_DATA, GEOCODE_LONGEST_PREFIX
from phonenumbers.geodata.locale import LOCALE_DATA
from phonenumbers.prefix import _prefix_description_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from bossjy_numbering import Number, NumberType, load_plan
from bossjy_numbering.enrich import Enrichment, Labels, load_enrichment
from bossjy_numbering.enrich.intervals import keys_of
from bossjy_numbering.enrich.languages import parse_language
from bossjy_numbering.enrich.names import PrefixNames
from tests.measurements import write_figures
from tests.performance.numbering.texts import Texts

# Prefixes or texts of one task.
TASK = 5_000
SHOWN = 20

# Languages for every number at a prefix, besides those that are known near it: English for a language without names,
# and those that are never answered in English.
ALWAYS = ("xx", "zh", "zh_Hant", "ja", "ko")
NAMES = {"place": GEOCODE_DATA, "carrier": CARRIER_DATA}
LONGEST = {"place": GEOCODE_LONGEST_PREFIX, "carrier": CARRIER_LONGEST_PREFIX}


@dataclass(slots=True)
class EnrichProof:
    """The comparisons, and the differences."""

    enrichment: Enrichment = field(default_factory=load_enrichment)
    comparisons: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: EnrichProof) -> None:
        """Adds the results of another task."""
        self.comparisons += other.comparisons
        self.differences += other.differences

    def compare(self, what: object, ours: object, theirs: object) -> None:
        """Counts one comparison."""
        self.comparisons += 1
        if ours != theirs:
            self.differences.append(f"{what}: {ours!r}, by phonenumbers {theirs!r}")


def prefixes() -> list[str]:
    """All prefixes that have a place, a carrier or a time zone."""
    return sorted({*GEOCODE_DATA, *CARRIER_DATA, *TIMEZONE_DATA})


def languages() -> list[str]:
    """All languages that have any name."""
    held = {key for data in NAMES.values() for names in data.values() for key in names}
    return sorted(held | {language for names in LOCALE_DATA.values() for language in names})


def near(prefix: str) -> set[str]:
    """Digits of numbers at the borders of a prefix: itself, shortened, extended, and on both sides of it."""
    before, after = (str(int(prefix) + step).zfill(len(prefix)) for step in (-1, 1))
    return {prefix, prefix[:-1], f"{prefix}0", f"{prefix}00000000", f"{prefix}9", f"{prefix}99999999", before, after}


def parsed_of(digits: str) -> PhoneNumber | None:
    """The number with these digits in E.164, valid or not; None without calling code or digits after it."""
    for size in (1, 2, 3):
        code, national = digits[:size], digits[size:]
        if national and code[:1] != "0" and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            zeros = min(len(national) - len(national.lstrip("0")), len(national) - 1)
            return PhoneNumber(
                country_code=int(code),
                national_number=int(national),
                italian_leading_zero=True if zeros else None,
                number_of_leading_zeros=zeros or None,
            )
    return None


def prove_prefixes(chosen: Iterable[str]) -> EnrichProof:
    """The prefix tables, one number and a column, at the borders of the prefixes `chosen`."""
    proof = EnrichProof()
    tables = proof.enrichment.tables
    digits = sorted({one for prefix in chosen for one in near(prefix)})
    kept = [(one, parsed) for one in digits if (parsed := parsed_of(one)) is not None]
    parts: dict[str, PrefixNames] = {"place": tables.places, "carrier": tables.carriers}
    data = np.frombuffer("".join(one for one, _ in kept).encode(), np.uint8)
    lengths = np.array([len(one) for one, _ in kept], np.int64)
    starts = np.cumsum(lengths) - lengths
    for part, names in parts.items():
        values = names.intervals.values(keys_of(data, starts, lengths, names.intervals.width)).tolist()
        for (one, parsed), value in zip(kept, values, strict=True):
            proof.compare((part, one, "column"), value, names.intervals.value(one))
            known = {key for size in range(1, len(one) + 1) for key in NAMES[part].get(one[:size], ())}
            for tag in {*known, *ALWAYS}:
                language, script, _ = parse_language(tag)
                reading = tables.reading(tag)
                serving = reading.places if part == "place" else reading.carriers
                theirs = _prefix_description_for_number(NAMES[part], LONGEST[part], parsed, language, script)
                proof.compare((part, one, tag), tables.texts[serving[value]], theirs)
    for one, parsed in kept:
        zones = tables.zones.lists[tables.zones.intervals.value(one)]
        proof.compare(("time zone", one), zones, tuple(timezone.time_zones_for_geographical_number(parsed)))
    return proof


def prove_texts(drawn: Sequence[tuple[str, str | None]], seed: int) -> EnrichProof:
    """Every answer for each text with its default region, in some languages and for some users; and as a column."""
    choice, proof, tags = random.Random(seed), EnrichProof(), [*languages(), "xx"]
    enrichment = proof.enrichment
    for text, region in drawn:
        number = load_plan().number(text, region)
        if number.error:
            _compare_nothing(proof, number)
            continue
        parsed = phonenumbers.parse(text, region or None)
        users = (None, number.region, choice.choice(("CN", "US", "GB", "AR", "TW", "ZZ")))
        for tag in ("en", "zh", choice.choice(tags)):
            _compare_places(proof, number, parsed, tag, choice.choice(users))
            _compare_carriers(proof, number, parsed, tag, choice.choice((None, "TW", "BR")))
        about = number.e164
        proof.compare((about, "zones"), enrichment.time_zones(number), tuple(timezone.time_zones_for_number(parsed)))
        theirs = tuple(timezone.time_zones_for_geographical_number(parsed))
        proof.compare((about, "zones of geographic"), enrichment.time_zones_of_geographic(number), theirs)
    for tag in ("en", *choice.sample(tags, 3)):
        _compare_columns(proof, drawn, tag, choice.choice((None, "US", "CN", "AR")))
    return proof


def _compare_nothing(proof: EnrichProof, number: Number) -> None:
    """A text that is no number has no answers, also in `phonenumbers`."""
    enrichment = proof.enrichment
    answers = (
        enrichment.place(number, "zh", "CN"),
        enrichment.place_of_valid(number, "zh"),
        enrichment.carrier(number, "zh"),
        enrichment.carrier_of_valid(number, "zh"),
        enrichment.safe_carrier(number, "zh"),
    )
    proof.compare(number, answers, ("",) * 5)
    unknown = (timezone.UNKNOWN_TIMEZONE,)
    proof.compare(number, enrichment.time_zones(number), unknown)
    proof.compare(number, enrichment.time_zones_of_geographic(number), unknown)


def _compare_places(proof: EnrichProof, number: Number, parsed: PhoneNumber, tag: str, user: str | None) -> None:
    enrichment = proof.enrichment
    language, script, _ = parse_language(tag)
    about = (number.e164, tag, user)
    theirs = geocoder.description_for_number(parsed, language, script, user)
    proof.compare((*about, "place"), enrichment.place(number, tag, user), theirs)
    theirs = geocoder.description_for_valid_number(parsed, language, script, user)
    proof.compare((*about, "place of valid"), enrichment.place_of_valid(number, tag, user), theirs)


def _compare_carriers(proof: EnrichProof, number: Number, parsed: PhoneNumber, tag: str, region: str | None) -> None:
    language, script, _ = parse_language(tag)
    enrichment = proof.enrichment
    full = f"{tag}-{region}" if region else tag
    about = (number.e164, full)
    names = (
        ("carrier", enrichment.carrier, carrier.name_for_number),
        ("carrier of valid", enrichment.carrier_of_valid, carrier.name_for_valid_number),
        ("safe carrier", enrichment.safe_carrier, carrier.safe_display_name),
    )
    for what, ours, theirs in names:
        proof.compare((*about, what), ours(number, full), theirs(parsed, language, script, region))


def _compare_columns(proof: EnrichProof, drawn: Sequence[tuple[str, str | None]], tag: str, user: str | None) -> None:
    plan, enrichment = load_plan(), proof.enrichment
    column = plan.column([text for text, _ in drawn], [region for _, region in drawn])
    numbers = [plan.number(text, region) for text, region in drawn]
    columns: tuple[tuple[str, Labels[Any], list[Any]], ...] = (
        ("place", enrichment.place_column(column, tag, user), [enrichment.place(one, tag, user) for one in numbers]),
        ("carrier", enrichment.carrier_column(column, tag), [enrichment.carrier(one, tag) for one in numbers]),
        ("zones", enrichment.time_zone_column(column), [enrichment.time_zones(one) for one in numbers]),
    )
    for what, labels, singles in columns:
        for number, of_column, single in zip(numbers, labels.to_list(), singles, strict=True):
            proof.compare((number.e164, tag, user, f"{what} column"), of_column, single)


def examples() -> list[tuple[str, str | None]]:
    """The example numbers of all regions and kinds, and of the non-geographic calling codes."""
    kinds = [int(kind) for kind in NumberType if kind != NumberType.UNKNOWN]
    found = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in kinds
    ]
    codes = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    found += [phonenumbers.example_number_for_non_geo_entity(code) for code in codes]
    e164 = phonenumbers.PhoneNumberFormat.E164
    return [(phonenumbers.format_number(one, e164), None) for one in found if one is not None]


def texts(count: int, seed: int) -> list[tuple[str, str | None]]:
    """Texts and default regions of all calling codes, valid numbers and others; some with a mobile token."""
    source, choice = Texts(load_plan().tables, seed), random.Random(seed)
    drawn = [source.draw() for _ in range(count - count // 10)]
    for _ in range(count // 10):
        area = choice.choice(("11", "223", "2254", "3435", "15", "11 15", "223 15", "2254 15", "0", "54", "54 11", ""))
        drawn.append((f"+54 9 {area} {choice.randrange(10 ** choice.randrange(1, 9))}", None))
    return drawn


def main() -> int:
    """The program: all prefixes, or every n-th, and texts of all kinds. Status 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="compare at every n-th prefix")
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    at_prefixes, of_texts = EnrichProof(), prove_texts(examples(), chosen.seed)
    listed = prefixes()[:: chosen.every]
    for begin in range(0, len(listed), TASK):
        at_prefixes.add(prove_prefixes(listed[begin : begin + TASK]))
    for begin in range(0, chosen.texts, TASK):
        of_texts.add(prove_texts(texts(min(TASK, chosen.texts - begin), chosen.seed + begin), chosen.seed + begin))
    differences = at_prefixes.differences + of_texts.differences
    write_figures(
        "prove_enrich",
        {
            "prefixes": len(listed),
            "prefix_comparisons": at_prefixes.comparisons,
            "text_comparisons": of_texts.comparisons,
            "languages": len(languages()),
            "differences": len(differences),
        },
    )
    print("\n".join(differences[:SHOWN]))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
