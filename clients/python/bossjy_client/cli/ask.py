"""Questions on the terminal. Ctrl-C and Ctrl-D at a question raise KeyboardInterrupt."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.prompt import Confirm, Prompt

from bossjy_client.cli.output import escape


class Ask:
    """Asks one question after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def text(self, question: str, default: str = "") -> str:
        """A line of text; empty only if there is no default."""
        with _interruptible():
            return Prompt.ask(
                f"[bold]{escape(question)}[/]", console=self._console, default=default, show_default=bool(default)
            ).strip()

    def choice(self, question: str, choices: Sequence[str], default: str) -> str:
        """One of several words."""
        with _interruptible():
            return Prompt.ask(
                f"[bold]{escape(question)}[/]", console=self._console, choices=list(choices), default=default
            )

    def agreed(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        with _interruptible():
            return Confirm.ask(f"[bold]{escape(question)}[/]", console=self._console, default=default)


@contextmanager
def _interruptible() -> Iterator[None]:
    """The event loop would take Ctrl-C and wait for the answer all the same."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except EOFError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, former)
