"""Values of options: conversions that argparse calls, with errors that say the valid values."""

from __future__ import annotations

import argparse

from bossjy_client.cli.messages import tr

# The limit of `bossjy_client.parts`, which imports more than help needs.
PART_LIMIT = 64
# A longer region is a name.
_CODE_LETTERS = 3

# The service of `make run`.
DEFAULT_TARGET = "127.0.0.1:18001"


def region_code(text: str) -> str:
    """A region; a code in any case becomes capitals. The service judges it."""
    return text.upper() if len(text) <= _CODE_LETTERS else text


def whole_number(text: str) -> int:
    """A number of lines or rows."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(tr("a whole number, 0 or more"))
    return int(text)


def reject_limit(text: str) -> str:
    """`10` or `2.5%`, validated."""
    number = text.replace(" ", "")
    if not number:
        return ""
    percent = number.endswith("%")
    try:
        value = float(number.rstrip("%"))
    except ValueError:
        value = -1.0
    if value < 0 or (percent and value > 100) or not (percent or number.isdecimal()):
        raise argparse.ArgumentTypeError(tr("a number of rows such as 100, or a share such as 5%"))
    return number


def part_count(text: str) -> int:
    """A number of streams."""
    count = whole_number(text)
    if not 1 <= count <= PART_LIMIT:
        raise argparse.ArgumentTypeError(tr("a number from 1 to {limit}", limit=PART_LIMIT))
    return count
