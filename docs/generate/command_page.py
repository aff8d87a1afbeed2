"""Page of the commands of `bossjy` and `bossjy-server`, from their parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from page import code, flat, head, table

from bossjy_client.cli.arguments.common import parser as tool_parser
from bossjy_server.cli import command_line as server_parser

_ABOUT = """\
[The tool](../cli.md) and [Operations](../operations.md) explain their use. The options of `bossjy` that all commands
share are listed once."""
_SHARED = "common options"
_Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse names it nowhere else


def commands_page() -> str:
    """The page."""
    text = head("Commands", "the parsers of the two programs", _ABOUT)
    for parser in (tool_parser(), server_parser()):
        text += f"\n## {parser.prog}\n\n{flat(parser.description or '')}\n\n" + _options(parser)
        if shared := next((one for one, _ in _leaves(parser) if _group(one)), None):
            text += f"\nOptions of every command:\n\n{table(_COLUMNS, _rows(_group(shared)))}"
        for leaf, about in _leaves(parser):
            text += f"\n### {leaf.prog}\n\n{flat(about)}\n\n" + _options(leaf)
    return text


_COLUMNS = ("argument", "meaning", "values")


def _leaves(parser: argparse.ArgumentParser, about: str = "") -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """The commands without commands of their own, with their meanings."""
    nested = [action for action in parser._actions if isinstance(action, _Commands)]  # noqa: SLF001 - as above
    if not nested:
        yield parser, parser.description or about
    for action in nested:
        meanings = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001 - as above
        for name, one in action.choices.items():
            if one.prog.endswith(f" {name}") and name in meanings:
                yield from _leaves(one, meanings[name])


def _group(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options that all commands of a program share."""
    groups = [one for one in parser._action_groups if one.title == _SHARED]  # noqa: SLF001 - as above
    return [action for one in groups for action in one._group_actions]  # noqa: SLF001 - as above


def _options(parser: argparse.ArgumentParser) -> str:
    shared = {id(one) for one in _group(parser)}
    own = [
        one
        for one in parser._actions  # noqa: SLF001 - as above
        if id(one) not in shared and not isinstance(one, argparse._HelpAction | _Commands)  # noqa: SLF001 - as above
    ]
    return table(_COLUMNS, _rows(own)) if own else "No options.\n"


def _rows(actions: list[argparse.Action]) -> Iterator[tuple[str, ...]]:
    for one in actions:
        if one.help is argparse.SUPPRESS:
            continue
        yield _name(one), (one.help or "").replace("%(default)s", str(one.default)), _values(one)


def _name(action: argparse.Action) -> str:
    shown = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        many = "…" if action.nargs in {"*", "+"} else ""
        return code(shown + many)
    names = ", ".join(map(code, action.option_strings))
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return names
    return f"{names} {code('' if action.choices else shown)}".strip()


def _values(action: argparse.Action) -> str:
    parts = [", ".join(code(str(one)) for one in action.choices)] if action.choices else []
    if action.required and action.option_strings:
        parts.append("required")
    if action.default not in (None, False, "", argparse.SUPPRESS, []) and action.option_strings:
        parts.append(f"default {code(str(action.default))}")
    return "; ".join(parts)
