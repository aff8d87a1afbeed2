"""Parser of the command line: argparse with suggestions for wrong words, and with messages in the user's language."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from bossjy_client.cli.examples import EXAMPLE_TITLES
from bossjy_client.cli.messages import tr

# Messages of argparse, as patterns: they differ between versions of Python in quotes only.
_MESSAGES = (
    (re.compile(r"the following arguments are required: (?P<names>.+)"), "these arguments are missing: {names}"),
    (re.compile(r"argument (?P<name>.+?): expected one argument"), "{name} needs a value"),
    (re.compile(r"argument (?P<name>.+?): expected at least one argument"), "{name} needs at least one value"),
    (re.compile(r"argument (?P<name>.+?): ignored explicit argument '?(?P<value>.*?)'?"), "{name} takes no value"),
    (
        re.compile(r"argument (?P<name>.+?): invalid int value: '?(?P<value>.*?)'?"),
        "{name}: {value} is no whole number",
    ),
    (re.compile(r"argument (?P<name>.+?): (?P<text>.+)", re.DOTALL), "{name}: {text}"),
)
_COMMAND = "COMMAND"
Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse names it nowhere else


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with its fixed words in the user's language."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """The line of the usage."""
        super().add_usage(usage, actions, groups, tr("usage: ") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser of the tool or of one command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=Formatter, allow_abbrev=False, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `parse_args`: a word that this command does not know is an error of this command."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown)
        return found, unknown

    def _refuse(self, unknown: Sequence[str]) -> NoReturn:
        for word in unknown:
            if word.startswith("-") and word != "-":
                name = word.partition("=")[0]
                options = [one for one in self._option_string_actions if one.startswith("--")]
                self.error(tr("there is no option {word} here", word=name) + _suggestion(name, options))
        self.error(tr("this is too much: {words}", words=" ".join(unknown)))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(one) for one in action.choices]
        if isinstance(action, Commands):
            said = tr("there is no command {word}", word=value)
        else:
            name = "/".join(action.option_strings) or str(action.metavar or action.dest)
            said = tr("{name}: {value} is not one of {choices}", name=name, value=value, choices=", ".join(choices))
        self.error(said + _suggestion(str(value), choices))

    def error(self, message: str) -> NoReturn:
        """Raise CommandLineError. A message of argparse is put into the user's language."""
        commands = subcommands(self)
        if commands and message.endswith(f": {_COMMAND}"):
            message = tr("a command is missing: {commands}", commands=", ".join(commands))
        raise CommandLineError(self, _in_own_words(message))


class CommandLineError(Exception):
    """The command line is wrong."""

    def __init__(self, parser: Parser, message: str) -> None:
        super().__init__(message)
        self.parser = parser


def _suggestion(word: str, choices: Sequence[str]) -> str:
    bare = word.lower().lstrip("-")
    names = {one.lstrip("-"): one for one in choices}
    found = [name for name in names if bare and name.startswith(bare)]
    if not found:
        import difflib  # noqa: PLC0415 - for wrong command lines only

        found = difflib.get_close_matches(bare, names, n=3, cutoff=0.6)
    return tr("; did you mean {choices}?", choices=tr(" or ").join(names[name] for name in found)) if found else ""


def _in_own_words(message: str) -> str:
    for pattern, text in _MESSAGES:
        if match := pattern.fullmatch(message):
            return tr(text, **match.groupdict())
    return message


def message_texts() -> tuple[str, ...]:
    """The texts in place of those of argparse."""
    return tuple(text for _, text in _MESSAGES)


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a parser by their words."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # noqa: SLF001 - there is no other way
        if isinstance(action, Commands):
            found.update(action.choices)
    return found


def translate(parser: argparse.ArgumentParser) -> None:
    """Put all texts of a parser and its commands into the user's language."""
    for holder, name, text in _texts(parser):
        setattr(holder, name, tr(text))
    title, line_end, examples = (parser.epilog or "").partition("\n")
    if title in EXAMPLE_TITLES:
        parser.epilog = tr(title) + line_end + examples
    for one in subcommands(parser).values():
        translate(one)


def texts_of(parser: argparse.ArgumentParser) -> set[str]:
    """All texts for people of a parser and its commands."""
    found = {text for _, _, text in _texts(parser)}
    return found.union(*map(texts_of, subcommands(parser).values()))


def _texts(parser: argparse.ArgumentParser) -> Iterator[tuple[Any, str, str]]:
    """Each text with its object and attribute."""
    holders: list[tuple[Any, str]] = [(parser, "description"), (parser, "epilog")]
    holders += [(group, "title") for group in parser._action_groups]  # noqa: SLF001 - there is no other way
    for action in parser._actions:  # noqa: SLF001 - there is no other way
        holders.append((action, "help"))
        if isinstance(action, Commands):
            holders.extend((one, "help") for one in action._choices_actions)  # noqa: SLF001 - there is no other way
    for holder, name in holders:
        text = getattr(holder, name)
        if text and text is not argparse.SUPPRESS and not text.startswith(EXAMPLE_TITLES):
            yield holder, name, text


def fail(error: CommandLineError, *, as_json: bool) -> None:
    """Print the error on standard error, with the command that helps, or as JSON."""
    if as_json:
        import json  # noqa: PLC0415 - for wrong command lines only

        fields = {"message": str(error), "code": "", "reason": "", "request_id": ""}
        sys.stderr.write(json.dumps({"error": fields}, ensure_ascii=False) + "\n")
        return
    sys.stderr.write(f"bossjy: {error}\n" + tr("see {command}", command=f"{error.parser.prog} --help") + "\n")
