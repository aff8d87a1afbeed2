"""`bossjy completion`: the script of a shell on standard output."""

from __future__ import annotations

import sys

from bossjy_client.cli.completion import SCRIPTS
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.session import Session


async def _completion(session: Session) -> ExitCode:
    """Print the script."""
    sys.stdout.write(SCRIPTS[session.args.shell])
    return ExitCode.DONE
