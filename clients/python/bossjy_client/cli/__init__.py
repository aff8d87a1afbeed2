"""The command-line tool `bossjy`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bossjy_client.extras import missing_extra


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool. Returns the exit code."""
    try:
        from bossjy_client.cli import program  # noqa: PLC0415 - needs the extra `cli`

        return program.main(arguments)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        sys.stderr.write(f"bossjy: {missing}\n")
        return 1


__all__ = ["main"]
