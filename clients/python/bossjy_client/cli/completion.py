"""Completion of the command line in bash, zsh and fish: a script for each, which asks the tool for the next words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from bossjy_client.cli.parsing import Commands

# The scripts call the tool with this word and the words of the line.
REQUEST = "__complete"

SCRIPTS = {
    "bash": f"""_bossjy() {{
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${{line%%$'\\t'*}}")
    done < <("${{COMP_WORDS[0]}}" {REQUEST} "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)
}}
complete -o default -F _bossjy bossjy
""",
    "zsh": f"""#compdef bossjy
_bossjy() {{
    local -a found
    local word about
    while IFS=$'\\t' read -r word about; do
        found+=("${{word//:/\\\\:}}:${{about}}")
    done < <("${{words[1]}}" {REQUEST} "${{(@)words[2,CURRENT]}}" 2>/dev/null)
    if (( ${{#found}} )); then
        _describe bossjy found
    else
        _files
    fi
}}
compdef _bossjy bossjy
""",
    "fish": f"""function __bossjy_words
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    set -l found ($program {REQUEST} $words "$current" 2>/dev/null)
    if count $found >/dev/null
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c bossjy -f -a '(__bossjy_words)'
""",
}


def answer(parser: argparse.ArgumentParser, words: Sequence[str]) -> int:
    """Print what can be the last of these words, a line each: the word, a tab, its meaning."""
    for word, about in candidates(parser, words):
        sys.stdout.write(f"{word}\t{' '.join(about.split())}\n")
    return 0


def candidates(parser: argparse.ArgumentParser, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The words that can be in the place of the last word, and their meanings."""
    *before, current = _joined(words) or [""]
    place = _Place(parser)
    for word in before:
        place.pass_by(word)
    return place.candidates(current)


class _Place:
    """The place in a command line after some words."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser: argparse.ArgumentParser | None = parser
        self._waiting: argparse.Action | None = None  # the option whose value comes next
        self._positions = 0
        self._used: set[str] = set()

    def pass_by(self, word: str) -> None:
        """Go past a complete word."""
        if self._waiting is not None or self._parser is None:
            self._waiting = None
        elif word.startswith("-") and word != "-":
            self._used.add(word)
            action = self._option(word)
            self._waiting = action if action is not None and action.nargs != 0 else None
        elif (commands := _commands(self._parser)) is not None:
            self._parser = commands.choices.get(word)
        else:
            self._positions += 1

    def candidates(self, current: str) -> Iterator[tuple[str, str]]:
        """The words that begin with `current`; none in a command that does not exist."""
        if self._parser is None:
            return
        option, equals, value = current.partition("=")
        if self._waiting is not None:
            yield from _choices(self._waiting, current)
        elif option.startswith("--") and equals:
            yield from _choices(self._option(option), value)
        elif current.startswith("-"):
            yield from _options(self._parser, current, self._used)
        elif (commands := _commands(self._parser)) is not None:
            abouts = {one.dest: one.help or "" for one in commands._choices_actions}  # noqa: SLF001 - as above
            yield from ((name, abouts.get(name, "")) for name in commands.choices if name.startswith(current))
        elif own := [one for one in self._parser._actions if not one.option_strings]:  # noqa: SLF001 - as above
            yield from _choices(own[min(self._positions, len(own) - 1)], current)

    def _option(self, word: str) -> argparse.Action | None:
        assert self._parser is not None  # noqa: S101 - the callers have checked it
        return self._parser._option_string_actions.get(word)  # noqa: SLF001 - there is no other way


def _joined(words: Sequence[str]) -> list[str]:
    """The words with `--option`, `=`, `value` of bash as two words."""
    found: list[str] = []
    for position, word in enumerate(words):
        if word == "=" and found and found[-1].startswith("--"):
            if position == len(words) - 1:
                found.append("")
            continue
        found.append(word)
    return found


def _commands(parser: argparse.ArgumentParser) -> Commands[argparse.ArgumentParser] | None:
    return next((one for one in parser._actions if isinstance(one, Commands)), None)  # noqa: SLF001 - as above


def _choices(action: argparse.Action | None, start: str) -> Iterator[tuple[str, str]]:
    for one in (action.choices if action is not None else None) or ():
        if str(one).startswith(start):
            yield str(one), ""


def _options(parser: argparse.ArgumentParser, start: str, used: set[str]) -> Iterator[tuple[str, str]]:
    for action in parser._actions:  # noqa: SLF001 - there is no other way
        names = [one for one in action.option_strings if one.startswith("--")]
        repeated = isinstance(action, argparse._AppendAction)  # noqa: SLF001 - argparse names it nowhere else
        if not repeated and used.intersection(action.option_strings):
            continue
        yield from ((name, action.help or "") for name in names if name.startswith(start))
