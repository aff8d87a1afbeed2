"""Arguments of `bossjy completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.completion import SCRIPTS
from bossjy_client.cli.examples import example


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    text = "print a script by which a shell completes commands, options and values"
    about = f"""{text}; in ~/.bashrc: eval "$(bossjy completion bash)\""""
    command = commands.add_parser("completion", parents=[common], help=text, description=about, **example("completion"))
    command.add_argument("shell", choices=tuple(SCRIPTS), help="the shell")
    command.set_defaults(command=later("completion_script", "_completion"))
