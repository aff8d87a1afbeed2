from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
from pathlib import Path

import pytest

from bossjy_numbering import (
    NumberType,
    SnapshotError,
    compile_plan,
    diff_plans,
    read_snapshot,
    snapshot_bytes,
    write_snapshot,
)
from bossjy_numbering.metadata import NumberClass, PlanRules, RegionRules, installed_rules


def rules_of(version: str, **patterns: tuple[str, str]) -> PlanRules:
    """A plan of small regions +1.. with a mobile and a fixed-line pattern each."""
    regions = []
    for code, (region, (mobile, fixed)) in enumerate(patterns.items(), 20):
        classes = {
            int(NumberType.MOBILE): NumberClass(mobile, (3, 4)),
            int(NumberType.FIXED_LINE): NumberClass(fixed, (3, 4)),
        }
        general = NumberClass(r"\d{3,4}", (3, 4))
        regions.append(RegionRules(region, code, general, (), classes, False, None, None, None, None, None))
    return PlanRules(version, tuple(regions))


def counted(rules: PlanRules) -> dict[tuple[int, str], tuple[str | None, int]]:
    """All valid numbers of a small plan, by walking each word."""
    tables = compile_plan(rules)
    step = tables.step.tolist()
    found: dict[tuple[int, str], tuple[str | None, int]] = {}
    for position, code in enumerate(tables.calling_codes.tolist()):
        for length in (3, 4):
            for word in itertools.product(range(10), repeat=length):
                state = int(tables.calling_code_state[position])
                for digit in word:
                    state = step[state][digit]
                kind = int(tables.outcome_type[tables.outcome[state]])
                if kind != NumberType.UNKNOWN:
                    found[code, "".join(map(str, word))] = (rules.regions[position].region, kind)
    return found


def test_a_difference_is_counted_exactly() -> None:
    before = rules_of("1", AA=(r"5\d{2}|77\d{2}", r"2\d{3}"), BB=(r"1\d{2}", r"9\d{2}"))
    after = rules_of("2", AA=(r"5[0-4]\d|7[67]\d{2}|23\d{2}", r"2[0-24-9]\d{2}"), BB=(r"1\d{2}", r"9\d{2}"))
    old, new = counted(before), counted(after)
    said = diff_plans(compile_plan(before), compile_plan(after))
    assert (said.from_version, said.to_version) == ("1", "2")
    assert said.newly_valid == len(new.keys() - old.keys()) == 100
    assert said.newly_invalid == len(old.keys() - new.keys()) == 50
    assert said.retyped == sum(1 for key in old.keys() & new.keys() if old[key] != new[key]) == 100
    assert {(one.region, one.calling_code, one.type) for one in said.differences} == {("AA", 20, NumberType.MOBILE)}
    ranges = {(one.prefix, one.digits) for one in said.differences[0].ranges}
    assert ranges >= {("+205", 5)} or ("+2055", 5) in ranges
    assert all(one.example.startswith(one.prefix) for one in said.differences[0].ranges)


def test_a_calling_code_may_come_and_go() -> None:
    one, two = rules_of("1", AA=(r"5\d{2}", r"2\d{2}")), rules_of("2", AA=(r"5\d{2}", r"2\d{2}"), BB=(r"1\d{3}", "9"))
    assert diff_plans(compile_plan(one), compile_plan(two)).newly_valid == 1000
    assert diff_plans(compile_plan(two), compile_plan(one)).newly_invalid == 1000


def test_a_plan_does_not_differ_from_its_snapshot(tmp_path: Path) -> None:
    rules = installed_rules()
    write_snapshot(tmp_path / "plan", rules)
    kept = read_snapshot((tmp_path / "plan").read_bytes())
    assert kept == rules
    assert snapshot_bytes(kept) == snapshot_bytes()


def test_one_pattern_of_the_plan_changed_is_found() -> None:
    rules = installed_rules()
    changed = [
        dataclasses.replace(one, classes={**one.classes, int(NumberType.MOBILE): NumberClass(r"1[38]\d{9}", (11,))})
        if one.region == "CN"
        else one
        for one in rules.regions
    ]
    said = diff_plans(compile_plan(rules), compile_plan(dataclasses.replace(rules, regions=tuple(changed))))
    assert {one.region for one in said.differences} == {"CN"}
    assert said.newly_invalid > 10**9


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text", id="no gzip"),
        pytest.param(gzip.compress(b"text"), id="no JSON"),
        pytest.param(gzip.compress(b"{}"), id="no kind"),
        pytest.param(
            gzip.compress(json.dumps({"kind": "bossjy numbering plan", "layout": 99, "rules": {}}).encode()),
            id="another layout",
        ),
        pytest.param(
            gzip.compress(
                json.dumps({"kind": "bossjy numbering plan", "layout": 1, "rules": {"regions": [1]}}).encode()
            ),
            id="no rules",
        ),
        pytest.param(snapshot_bytes(rules_of("1", AA=("1", "2")))[:-9], id="cut"),
        pytest.param(gzip.compress(b"text")[:10] + b"\xff" * 9, id="no deflate"),
        pytest.param(gzip.compress(b"[" * 100_000), id="deep"),
        pytest.param(gzip.compress(b"[]"), id="a list"),
    ],
)
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        read_snapshot(data)
