"""Counts of translated-sounding idioms and sentence openings in the prose of the tree, a step of `make check`.

The prose is Markdown, docstrings, messages and comments. Each count per 10,000 words has a ceiling and a goal. Exit
status 1 if a count is above its ceiling; then the ten worst files follow with their lines. `--lines [FILE...]` lists
every line that counts.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Limit:
    """The ceiling and the goal of a group of phrases, per 10,000 words."""

    ceiling: float
    goal: float
    phrases: tuple[str, ...]


LIMITS = {
    "idioms": Limit(5, 5, ("stands", "holds", "behind", "alone", "goes on")),
    "openings": Limit(5, 5, ("What", "Who", "Where", "Whether")),
    "calques": Limit(5, 5, ("is told", "is taken", "is cut", "further", "together")),
}

_BE = r"\b(?:is|are|was|were|be|been|being)\s+(?:not\s+|never\s+)?"
IDIOMS = {
    "stands": r"\b(?:stands?|stood)\b",
    "holds": r"\bholds\b",
    "behind": r"\bbehind\b",
    "alone": r"\balone\b",
    "goes on": r"\b(?:goes|go|went|going)\s+on\b",
    "is told": _BE + r"told\b",
    "is taken": _BE + r"taken\b",
    "is cut": _BE + r"cut\b",
    "further": r"\bfurther\b",
    "together": r"\btogether\b",
}
# Phrases of plain English that contain an idiom. They do not count; nor do names of files and text in backticks or code
# blocks.
ACCEPTED = (
    r"\bbehind\s+(?:\w+\s+){0,2}(?:prox(?:y|ies)|load\s+balancers?|firewalls?|NAT|Traefik|Envoy)\b",
    r"\bstands?\s+for\b",
    r"\b(?:leaves?|left|leaving|let)\s+(?:\w+\s+){0,2}alone\b",
    r"\bholds\s+(?:\w+\s+){0,2}(?:locks?|slots?|connections?)\b",
)
FOUND = re.compile(
    "|".join(
        (
            "(?P<accepted>" + "|".join(ACCEPTED) + ")",
            *(f"(?P<{name.replace(' ', '_')}>{pattern})" for name, pattern in IDIOMS.items()),
        )
    ),
    re.IGNORECASE,
)
# At the start of a block in any case (a remark may begin small); within it, a capital after the end of a sentence.
OPENING = re.compile(
    r"(?:\A\W*(?P<first>[Ww]hat|[Ww]ho|[Ww]here|[Ww]hether)|(?:[.!?:|]|\n\s*\n)[\s\"'“(*_]+(?P<next>What|Who|Where|Whether))\b"
)
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")

# Generated code, text of others, data, Chinese, and the examples of the unit test.
EXCLUDED = re.compile(
    r"(?:clients/python/bossjy|server/buf)/|protos/vendor/|requirements/|.*\.zh-CN\.md$|tests/unit/test_prose\.py$"
)
HASH_COMMENTS = (".toml", ".yaml", ".yml")
# A sign that begins a comment is not within a quoted text.
HASH = re.compile(r"""(?P<code>(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^"'\n])*?)(?:^|(?<=\s))#+(?P<text>.*)""")
DASHES = re.compile(r"""(?P<code>(?:'[^'\n]*'|[^'\n])*?)--(?P<text>.*)""")
SLASHES = re.compile(r"""(?P<code>(?:"(?:\\.|[^"\\\n])*"|[^"\n])*?)//(?P<text>.*)""")
PYTHON = re.compile(
    r"""#(?P<comment>[^\n]*)|(?P<prefix>[A-Za-z]{0,2})(?P<quotes>\"{3}|'{3}|"|')(?P<body>(?:\\.|(?!(?P=quotes)).)*)(?P=quotes)""",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"!|\s*(?:noqa|type:|mypy:|pragma)")
FIELD = re.compile(r"\{[^{}]*\}")
ESCAPE = re.compile(r"\\.")
BACKTICKS = re.compile(r"(`+)(?:(?!\1).)+?\1", re.DOTALL)
FENCE = re.compile(r"\s*(?:```|~~~)")
LINK_TARGET = re.compile(r"\]\([^)\s]*\)")
FILE_NAME = re.compile(r"[\w./-]+\.(?:md|py|proto|sql)\b")
ITEM = re.compile(r"\s*(?:[-*+]|\d+\.)\s")
# A text of a program is a message if it is a sentence; statements of SQL are none.
MESSAGE = re.compile(r"[A-Za-z]\S*(?:\s+\S+){3,}")
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|FROM)\b")


@dataclass(frozen=True)
class Block:
    """One comment, docstring, message or paragraph."""

    line: int
    text: str


@dataclass(frozen=True)
class Comment:
    """The text of a comment on one line, without its sign. `column` is None if code precedes it."""

    line: int
    column: int | None
    text: str


@dataclass(frozen=True)
class Hit:
    """A phrase that counts."""

    phrase: str
    path: str
    line: int
    text: str


def markdown_blocks(source: str) -> Iterator[Block]:
    """Headings, paragraphs, list items and tables of a Markdown file, without its code blocks."""
    start, lines, fenced = 1, list[str](), False
    for number, line in enumerate([*source.split("\n"), ""], 1):
        is_fence = FENCE.match(line) is not None
        is_heading = line.startswith("#")
        if lines and (fenced or is_fence or is_heading or not line.strip() or ITEM.match(line)):
            yield Block(start, "\n".join(lines))
            lines = []
        if is_fence:
            fenced = not fenced
        elif is_heading and not fenced:
            # A heading may be a question.
            if not line.rstrip().endswith("?"):
                yield Block(number, line.strip("# "))
        elif line.strip() and not fenced and not line.startswith("    "):
            start = start if lines else number
            lines.append(LINK_TARGET.sub("]", line))


def comment_blocks(comments: Iterable[Comment]) -> Iterator[Block]:
    """Join the comments that have consecutive lines to themselves and begin at the same column."""
    last, lines, start = Comment(0, None, ""), list[str](), 0
    for one in comments:
        if lines and (one.column is None or (one.line, one.column) != (last.line + 1, last.column)):
            yield Block(start, "\n".join(lines))
            lines = []
        if not lines:
            start = one.line
        lines.append(one.text)
        last = one
    if lines:
        yield Block(start, "\n".join(lines))


def line_comments(source: str, pattern: re.Pattern[str]) -> Iterator[Comment]:
    """Comments that reach to the end of their line, as the pattern finds them."""
    for number, line in enumerate(source.split("\n"), 1):
        if found := pattern.fullmatch(line):
            column = None if found["code"].strip() else len(found["code"])
            yield Comment(number, column, found["text"])


def python_blocks(source: str) -> list[Block]:
    """Comments, docstrings and messages of a Python file, without a parser: two seconds less for the whole tree."""
    comments, found = list[Comment](), list[Block]()
    message, message_line, end, line = "", 0, 0, 1
    for token in [*PYTHON.finditer(source), None]:
        gap = source[end : token.start()] if token else ""
        is_part = token is not None and bool(message) and token["body"] is not None and not gap.strip()
        if message and not is_part:
            if MESSAGE.match(message) and not SQL.search(message):
                found.append(Block(message_line, message))
            message = ""
        if token is None:
            break
        line += gap.count("\n")
        before = source[source.rfind("\n", 0, token.start()) + 1 : token.start()]
        if (comment := token["comment"]) is not None:
            if not DIRECTIVE.match(comment):
                comments.append(Comment(line, None if before.strip() else len(before), comment))
        elif token["quotes"] == '"""' and not token["prefix"] and not before.strip():
            found.append(Block(line, token["body"]))
        elif "b" not in token["prefix"].lower():
            message_line = message_line if is_part else line
            body = FIELD.sub("…", token["body"]) if "f" in token["prefix"].lower() else token["body"]
            message += (gap if is_part else "") + ESCAPE.sub("  ", body)
        line += token[0].count("\n")
        end = token.end()
    return [*comment_blocks(comments), *found]


def blocks(path: str, source: str) -> Iterable[Block]:
    """The prose of a file. None for a kind of file that has none."""
    kind = Path(path).suffix
    if kind == ".md":
        return markdown_blocks(source)
    if kind == ".py":
        return python_blocks(source)
    if kind == ".proto":
        return comment_blocks(line_comments(source, SLASHES))
    if kind == ".sql":
        return comment_blocks(line_comments(source, DASHES))
    if kind in HASH_COMMENTS or Path(path).name == "Makefile":
        return comment_blocks(line_comments(source, HASH))
    return ()


def read(path: str, source: str) -> tuple[int, list[Hit]]:
    """Count the words of a file and find its phrases."""
    words, hits = 0, list[Hit]()
    for block in blocks(path, source):
        # Code within a sentence is a blank, as long as it was: places stay where they are.
        text = BACKTICKS.sub(lambda code: re.sub(r"[^\n]", "~", code[0]), block.text)
        text = FILE_NAME.sub(lambda name: "~" * len(name[0]), text)
        words += sum(1 for _ in WORD.finditer(text))
        found = [
            *((one.lastgroup or "", one.start()) for one in FOUND.finditer(text)),
            *((one[one.lastgroup or 0].capitalize(), one.end()) for one in OPENING.finditer(text)),
        ]
        starts = [0, *(one.end() for one in re.finditer("\n", text))] if found else []
        for group, offset in found:
            if group != "accepted":
                line = bisect_right(starts, offset) - 1
                shown = block.text.split("\n")[line].strip()
                hits.append(Hit(group.replace("_", " "), path, block.line + line, shown))
    return words, hits


def tracked() -> list[str]:
    """The paths of the files with prose."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    kinds = (".md", ".py", ".proto", ".sql", *HASH_COMMENTS, "Makefile")
    paths = [path for path in listed.stdout.split("\0") if path.endswith(kinds) and not EXCLUDED.match(path)]
    return [path for path in paths if (ROOT / path).is_file()]


def table(words: int, hits: list[Hit], limits: dict[str, Limit]) -> tuple[list[str], list[str]]:
    """The lines of the table, and the names of the groups above their ceilings."""
    counts = Counter(hit.phrase for hit in hits)
    rows, above = [f"{'':<12} {'count':>6} {'per 10,000 words':>17} {'ceiling':>8} {'goal':>5}"], list[str]()
    for name, limit in limits.items():
        count = sum(counts[phrase] for phrase in limit.phrases)
        rate = count * 10_000 / max(words, 1)
        rows.append(f"{name:<12} {count:>6} {rate:>17.1f} {limit.ceiling:>8.1f} {limit.goal:>5.1f}")
        rows += [
            f"  {phrase:<10} {counts[phrase]:>6} {counts[phrase] * 10_000 / max(words, 1):>17.1f}"
            for phrase in limit.phrases
        ]
        if rate > limit.ceiling:
            above.append(name)
    return rows, above


def worst(hits: list[Hit], phrases: set[str], files: int | None = 10) -> Iterator[str]:
    """The files with most of these phrases, each with its lines."""
    chosen = [hit for hit in hits if hit.phrase in phrases]
    for path, count in Counter(hit.path for hit in chosen).most_common(files):
        yield f"{path}: {count}"
        for hit in sorted((hit for hit in chosen if hit.path == path), key=lambda hit: hit.line):
            yield f"  {path}:{hit.line}: {hit.phrase}: {hit.text}"


def summary(words: int, hits: list[Hit], limits: dict[str, Limit]) -> str:
    """One line: how far each group is from its goal."""
    counts = Counter(hit.phrase for hit in hits)
    parts = []
    for name, limit in limits.items():
        rate = sum(counts[phrase] for phrase in limit.phrases) * 10_000 / max(words, 1)
        parts.append(f"{name} {rate:.1f} (ceiling {limit.ceiling:g}, goal {limit.goal:g})")
    return f"per 10,000 of {words:,} words: {', '.join(parts)}"


def report(words: int, hits: list[Hit], limits: dict[str, Limit]) -> tuple[str, int]:
    """The whole output and the exit status."""
    rows, above = table(words, hits, limits)
    if above:
        phrases = set(chain.from_iterable(limits[name].phrases for name in above))
        rows += [f"above the ceiling: {', '.join(above)}; the ten worst files:", *worst(hits, phrases)]
    return "\n".join([*rows, summary(words, hits, limits)]), 1 if above else 0


def main(arguments: list[str]) -> int:
    """Read the tree or the named files and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description="count idioms and sentence openings in the prose of the tree")
    parser.add_argument("--lines", action="store_true", help="list every line that counts")
    parser.add_argument("paths", nargs="*", help="only these files or folders, relative to the root")
    options = parser.parse_args(arguments)
    paths = [path for path in tracked() if not options.paths or path.startswith(tuple(options.paths))]
    results = [read(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths]
    words = sum(count for count, _ in results)
    hits = [hit for _, found in results for hit in found]
    text, status = report(words, hits, LIMITS)
    if options.lines:
        print("\n".join(worst(hits, {hit.phrase for hit in hits}, files=None)))
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
