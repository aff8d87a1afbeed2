"""`bossjy`: parses the command line, runs one command, and turns the result into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Sequence

from bossjy_client.cli.arguments.common import parse, parser
from bossjy_client.cli.completion import REQUEST, answer
from bossjy_client.cli.exit_codes import ExitCode, exit_code
from bossjy_client.cli.messages import answer_language, language_of, tr, use_language
from bossjy_client.cli.parsing import CommandLineError, fail, translate
from bossjy_client.errors import BossjyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool. Returns the exit code."""
    try:
        try:
            return _main(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            sys.stdout.flush()  # here, so that a closed pipe is noticed before the interpreter's own flush
    except BrokenPipeError:
        # The reader of the output ended (`| head`). Keep the interpreter from complaining at its last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _main(words: list[str]) -> int:
    # Programs read these outputs: no word of them depends on the language.
    use_language("" if {"--json", "--csv"} & set(words) else language_of(words, os.environ))
    command_line = parser()
    if answer_language():
        translate(command_line)
    if words[:1] == [REQUEST]:
        return answer(command_line, words[1:])
    try:
        args = parse(words, command_line)
    except CommandLineError as error:
        fail(error, as_json="--json" in words)
        return ExitCode.USAGE
    if not hasattr(args, "command"):
        command_line.print_help()
        return ExitCode.DONE
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - help and completion do without

    from bossjy_client.cli.session import Session  # noqa: PLC0415 - as above

    session = Session(args)
    try:
        return asyncio.run(_interruptible(args.command(session)))
    except BossjyError as error:
        session.output.error(error)
        return exit_code(error)
    except KeyboardInterrupt:
        session.output.note(tr("interrupted"))
        return ExitCode.INTERRUPTED


async def _interruptible(command: Awaitable[ExitCode]) -> ExitCode:
    """SIGTERM ends the command like Ctrl-C, so that files and connections are closed."""
    import asyncio  # noqa: PLC0415 - as above
    import signal  # noqa: PLC0415 - as above

    task = asyncio.ensure_future(command)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
