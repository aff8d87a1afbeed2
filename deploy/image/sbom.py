"""Software bill of materials (CycloneDX 1.6) and licence list of the Python packages of an environment.

    python sbom.py FOLDER              of this environment: FOLDER/sbom.cdx.json and FOLDER/licences.txt
    python sbom.py FOLDER run.txt      of the packages that the requirement file names

The image has both in /opt/bossjy/share. The packages of the base image are in its own database of packages.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_LOCKED = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)
# Our own packages: not in a requirement file.
_OWN = ("bossjy", "bossjy-numbering", "bossjy-server")


def canonical(name: str) -> str:
    """The name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(only: frozenset[str] | None) -> Iterator[tuple[str, Distribution]]:
    """Installed packages by name, each once."""
    found = {canonical(each.name): each for each in distributions()}
    yield from sorted((name, each) for name, each in found.items() if only is None or name in only)


def licence(package: Distribution) -> str:
    """The licence that a package states: expression, classifiers, or the first line of its text."""
    metadata = package.metadata
    if stated := metadata.get_all("License-Expression"):
        return str(stated[0])
    marked = [str(each).rpartition(" :: ")[2] for each in metadata.get_all("Classifier", []) if "License ::" in each]
    if marked:
        return " OR ".join(sorted(marked))
    text = "".join(map(str, metadata.get_all("License", []))).strip()
    return text.splitlines()[0] if text else "not stated"


def component(name: str, package: Distribution) -> dict[str, Any]:
    """A package as CycloneDX describes it."""
    purl = f"pkg:pypi/{name}@{package.version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package.version,
        "purl": purl,
        "licenses": [{"license": {"name": licence(package)}}],
    }


def bill(components: list[dict[str, Any]]) -> dict[str, Any]:
    """The document. The same packages have the same serial number, so builds can be compared."""
    digest = hashlib.sha256(json.dumps(components, sort_keys=True).encode()).digest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "bossjy-server"}},
        "components": components,
    }


def main() -> int:
    """Write both files."""
    folder = Path(sys.argv[1])
    only = None
    if sys.argv[2:]:
        only = frozenset((*_LOCKED.findall(Path(sys.argv[2]).read_text("utf-8")), *_OWN))
    found = list(packages(only))
    folder.mkdir(parents=True, exist_ok=True)
    document = bill([component(*each) for each in found])
    (folder / "sbom.cdx.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    lines = [f"{name} {package.version}: {licence(package)}\n" for name, package in found]
    (folder / "licences.txt").write_text("".join(lines), "utf-8")
    print(f"{len(found)} packages: {folder}/sbom.cdx.json, {folder}/licences.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
