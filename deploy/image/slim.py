"""Removes the parts of an environment that a server does not use: build tools, headers, tests, unused Arrow libraries.

    python slim.py /opt/bossjy

Prints the larger removed parts with their size. Containerfile runs it, and imports the server afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Packages that only built the others.
_TOOLS = ("pip", "setuptools", "hatchling", "pathspec", "pluggy", "trove-classifiers", "packaging")
# Below site-packages. Nothing in the service calls Arrow's Flight or its stores in the cloud.
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
    "numpy/**/tests",
    "numpy/_core/include",
    "**/*.pxd",
    "**/*.pyx",
    "**/*.pyi",
)
# Half of their extension modules is debug information. `strip` breaks libraries that their builder has patched.
_WITH_DEBUG_INFORMATION = ("asyncpg", "uvloop", "zstandard")
# Smaller parts are removed without a line of output.
_SHOWN_BYTES = 1_000_000


def size(path: Path) -> int:
    """Bytes of a file or of all files below a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(one.lstat().st_size for one in path.rglob("*") if one.is_file())
    return path.lstat().st_size


def unused(packages: Path) -> Iterator[Path]:
    """The files and folders of _UNUSED, each once."""
    for pattern in _UNUSED:
        yield from packages.glob(pattern)


def main() -> int:
    """Slim the environment that the argument names."""
    environment = Path(sys.argv[1])
    packages = next((environment / "lib").glob("python3.*")) / "site-packages"
    before = size(environment)
    for path in list(unused(packages)):
        if not path.exists():
            continue
        if (bytes_ := size(path)) >= _SHOWN_BYTES:
            print(f"{bytes_ / 1e6:8.1f} MB  {path.relative_to(packages)}")
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    subprocess.run([sys.executable, "-m", "pip", "uninstall", "-q", "-y", *_TOOLS], check=True)
    if strip := shutil.which("strip"):
        libraries = [str(one) for name in _WITH_DEBUG_INFORMATION for one in packages.glob(f"{name}/**/*.so")]
        subprocess.run([strip, "--strip-unneeded", *libraries], check=True)
    print(f"{before / 1e6:.0f} MB became {size(environment) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
