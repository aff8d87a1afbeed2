"""Questions on the terminal. Ctrl-C and Ctrl-D at a question raise KeyboardInterrupt."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console
from rich.prompt import Confirm, Prompt

from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import escape

# A signal between the prompt and a blocking read would wait for the answer.
_POLL_S = 0.2


class _Prompt(Prompt):
    """A question whose remarks are in the language of the user."""

    @property
    def illegal_choice_message(self) -> str:  # type: ignore[override]
        """The remark on another answer than the choices."""
        return "[prompt.invalid.choice]" + tr("Please select one of the available options")


class _Confirm(Confirm):
    """Yes or no, with its remark in the language of the user."""

    @property
    def validate_error_message(self) -> str:  # type: ignore[override]
        """The remark on another answer than y and n."""
        return "[prompt.invalid]" + tr("Please enter Y or N")


class Ask:
    """Asks one question after another."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def text(self, question: str, default: str = "") -> str:
        """A line of text; empty only if there is no default."""
        with _interruptible():
            return _Prompt.ask(
                f"[bold]{escape(question)}[/]",
                console=self._console,
                default=default,
                show_default=bool(default),
                stream=_ANSWERS,
            ).strip()

    def choice(self, question: str, choices: Sequence[str], default: str) -> str:
        """A choice from several words."""
        with _interruptible():
            return _Prompt.ask(
                f"[bold]{escape(question)}[/]",
                console=self._console,
                choices=list(choices),
                default=default,
                stream=_ANSWERS,
            )

    def agreed(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        with _interruptible():
            return _Confirm.ask(f"[bold]{escape(question)}[/]", console=self._console, default=default, stream=_ANSWERS)


class _Answers:
    """Lines of standard input, read only when they are available, so that Ctrl-C is not lost before a read."""

    def readline(self) -> str:
        """The next line without its end. Raises EOFError at the end of the input."""
        if os.name == "posix" and sys.stdin.isatty():
            while not select.select([sys.stdin], [], [], _POLL_S)[0]:
                pass
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


_ANSWERS = cast("TextIO", _Answers())  # Prompt calls nothing but readline


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ctrl-C interrupt a question; the event loop would catch it and still wait for the answer."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except EOFError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, former)
