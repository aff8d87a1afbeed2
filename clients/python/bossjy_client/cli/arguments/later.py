"""Reference to the function of a command, whose module is imported when the command runs."""

from __future__ import annotations

from collections.abc import Awaitable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from bossjy_client.cli.exit_codes import ExitCode
    from bossjy_client.cli.session import Session


class Later(NamedTuple):
    """A command by the names of its module and function."""

    module: str
    function: str

    def __call__(self, session: Session) -> Awaitable[ExitCode]:
        """Import the module and start the command."""
        function = getattr(import_module(f"bossjy_client.cli.{self.module}"), self.function)
        return cast("Awaitable[ExitCode]", function(session))


def later(module: str, function: str) -> Later:
    """The command `function` of the module `module` below `bossjy_client.cli`."""
    return Later(module, function)
