"""The counts of idioms and openings, their exclusions and ceilings: .ci/prose.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[2] / ".ci" / "prose.py"


@pytest.fixture(scope="module", name="prose")
def load_prose() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bossjy_prose", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def found(prose: ModuleType, path: str, source: str) -> list[tuple[str, int]]:
    """The phrases of a text and their lines."""
    return sorted((hit.phrase, hit.line) for hit in prose.read(path, source)[1])


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The name stands first.", "stands"),
        ("It stood there.", "stands"),
        ("The rule holds.", "holds"),
        ("The value behind the comma.", "behind"),
        ("It reads one column alone.", "alone"),
        ("The upload goes on.", "goes on"),
        ("The upload went\non.", "goes on"),
        ("The caller is told.", "is told"),
        ("A code was not taken.", "is taken"),
        ("The text is cut.", "is cut"),
        ("A further row.", "further"),
        ("Both together.", "together"),
        ("What it does.", "What"),
        ("Fine. Where it is.", "Where"),
        ("- whether it is empty", "Whether"),
        ("note: Who calls.", "Who"),
        ("| column | What it is |", "What"),
    ],
)
def test_each_idiom_and_each_opening_counts_once(prose: ModuleType, text: str, phrase: str) -> None:
    assert [name for name, _ in found(prose, "a.md", text)] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "The service runs behind a reverse proxy, behind the load balancer and behind NAT.",
        "E stands for an extension.",
        "It leaves the others alone.",
        "The call holds a slot.",
        "Settings say `what stands behind` and ``holds`` alike.",
        "Text\n\n```\nWhat stands behind\n```\n",
        "## What is it?",
        "See [the list](docs/behind.md) and behind-a-proxy.md.",
        "It says what the caller sent, and where.",
        "Standalone, household, furthermore.",
    ],
)
def test_plain_uses_and_code_do_not_count(prose: ModuleType, text: str) -> None:
    assert found(prose, "a.md", text) == []


def test_python_has_comments_docstrings_and_messages(prose: ModuleType) -> None:
    source = '''"""What it is.

It stands # here.
"""
NAME = "holds"  # a word is no message
QUERY = "SELECT what stands behind FROM holds WHERE alone"
BYTES = b"a message that stands here"


def call(further: int) -> None:
    # whether the first line
    # whether of a block continues
    raise ValueError(f"the value {further} stands "
                     "behind the last one")  # who calls
'''
    assert found(prose, "a.py", source) == [
        ("What", 1),
        ("Whether", 11),
        ("Who", 14),
        ("behind", 14),
        ("stands", 3),
        ("stands", 13),
    ]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.proto", 'string a = 1; // It stands.\nstring b = "//holds";'),
        ("a.sql", "SELECT 'alone -- no'; -- It stands."),
        ("a.toml", 'a = "#holds" # It stands.'),
        ("a.yaml", "a: b#holds # It stands."),
        ("Makefile", "run: ## It stands."),
    ],
)
def test_comments_of_other_languages_count(prose: ModuleType, path: str, source: str) -> None:
    assert found(prose, path, source) == [("stands", 1)]


def test_words_are_counted_without_code(prose: ModuleType) -> None:
    assert prose.read("a.md", "Four words, `no code`, and links.")[0] == 4
    assert prose.read("a.csv", "Not prose at all") == (0, [])


def test_generated_code_and_data_are_not_read(prose: ModuleType) -> None:
    paths = prose.tracked()
    assert ".ci/prose.py" in paths
    assert not [
        path for path in paths if path.startswith(("clients/python/bossjy/", "requirements/", "protos/vendor/"))
    ]
    assert "README.zh-CN.md" not in paths


def test_above_a_ceiling_the_worst_files_follow_with_their_lines(prose: ModuleType) -> None:
    hits = [prose.Hit("stands", f"{number}.md", 7, "It stands.") for number in range(12)]
    hits += [prose.Hit("stands", "worst.md", 9, "It stood."), prose.Hit("stands", "worst.md", 3, "It stands.")]
    limits = {"idioms": prose.Limit(ceiling=13.9, goal=5, phrases=("stands", "holds"))}
    text, status = prose.report(10_000, hits, limits)
    assert status == 1
    lines = text.splitlines()
    assert lines[1].split() == ["idioms", "14", "14.0", "13.9", "5.0"]
    start = lines.index("above the ceiling: idioms; the ten worst files:")
    assert lines[start + 1 : start + 4] == [
        "worst.md: 2",
        "  worst.md:3: stands: It stands.",
        "  worst.md:9: stands: It stood.",
    ]
    assert sum(line.endswith(".md: 1") for line in lines) == 9


def test_at_the_ceiling_it_passes_and_says_how_far_the_goal_is(prose: ModuleType) -> None:
    limits = {"idioms": prose.Limit(ceiling=2, goal=1, phrases=("stands",))}
    text, status = prose.report(10_000, [prose.Hit("stands", "a.md", 1, "")] * 2, limits)
    assert status == 0
    assert text.splitlines()[-1] == "per 10,000 of 10,000 words: idioms 2.0 (ceiling 2, goal 1)"


def test_no_ceiling_is_below_its_goal(prose: ModuleType) -> None:
    assert all(limit.ceiling >= limit.goal for limit in prose.LIMITS.values())
