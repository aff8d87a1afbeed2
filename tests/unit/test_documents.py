"""Documents: links lead to files and headings, and the layers are those that are checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "",
    "docs",
    "docs/decisions",
    "docs/reference",
    "docs/operations",
    "monitoring",
    "deploy/kubernetes",
    "deploy/compose",
    ".github",
)
DOCUMENTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))


def without_code(text: str) -> str:
    """The text without fenced and inline code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as renderers of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(document: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    assert broken == []


def test_the_index_names_every_page() -> None:
    text = (ROOT / "docs" / "README.md").read_text()
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    pages = {page for page in pages if not page.startswith("decisions/")} - {"README.md"}
    assert sorted(page for page in pages if f"]({page})" not in text) == []


def test_a_missing_heading_is_found() -> None:
    text = "# A title: its parts\n\n```\n# no heading\n```\n## 中文 标题\n"
    assert anchors(text) == {"a-title-its-parts", "中文-标题"}


def test_the_documented_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    checked = [one["layers"] for one in contracts if one["type"] == "layers"]
    shown = re.findall(r"```layers\n(.*?)```", (ROOT / "docs/architecture.md").read_text(), re.DOTALL)
    assert [one.splitlines() for one in shown] == checked


def test_the_documented_chain_is_the_real_one() -> None:
    chain = (ROOT / "server/bossjy_server/rpc/chain.py").read_text()
    body = chain[chain.index("    return [") :]
    names = re.findall(r"^        (\w+?)(?:_concern|\.concern)", body, re.MULTILINE)
    shown = (ROOT / "docs/architecture.md").read_text()
    path = shown[shown.index("rpc: request context") : shown.index("─► servicer")]
    steps = [step.strip().replace(" ", "_") for step in path.removeprefix("rpc:").split("─►")]
    assert [step for step in steps if step] == [{"logging": "log"}.get(name, name) for name in names]


def test_the_index_of_topics_leads_to_the_line() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    rows = re.findall(r"^\| [^|]+ \| \[([^]]+)\]\(\.\./([^)]+)\) \| `(\w+)` \|$", text, re.MULTILINE)
    assert len(rows) >= 10
    for shown, path, name in rows:
        assert path.endswith(shown)
        assert re.search(rf"^ *(async )?(def|class) {name}\b", (ROOT / path).read_text(), re.MULTILINE), (path, name)
