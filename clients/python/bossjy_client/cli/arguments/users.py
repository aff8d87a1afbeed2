"""Arguments of `bossjy users`: the users of the tenant, for its administrators."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.arguments.later import later
from bossjy_client.cli.examples import example

# In the order of their rights. A value of the enumeration Role belongs to each.
ROLES = ("service", "member", "admin", "owner")


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("users", help="people and services of the tenant").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )

    def add(name: str, text: str, command: Any, *, of_user: bool = True) -> Any:
        one = group.add_parser(name, parents=[common], help=text, description=text, **example(f"users {name}"))
        if of_user:
            one.add_argument("user", metavar="USER", help="user id or mail address")
        one.set_defaults(command=command)
        return one

    command = add("list", "users that pass a filter", later("users", "_list"), of_user=False)
    command.add_argument("--filter", metavar="TEXT", default="", help='such as: role = "admin" AND state = "active"')
    add("show", "one user", later("users", "_show"))
    command = add(
        "create",
        "add a user; the first password must be changed at the first login",
        later("users", "_create"),
        of_user=False,
    )
    command.add_argument("email", metavar="ADDRESS", help="mail address")
    command.add_argument("--role", choices=ROLES, default="member", help="default: member")
    command.add_argument("--name", metavar="TEXT", default="", help="name of the user")
    command.add_argument("--password-stdin", action="store_true", help="read the first password from standard input")
    command = add("role", "give a user another role, at once", later("users", "_role"))
    command.add_argument("role", choices=ROLES, help="the new role")
    add("disable", "end the sessions and keys of a user and refuse logins", later("users", "_disable"))
    add("enable", "let a disabled user log in again", later("users", "_enable"))
    text = "delete the name, address and logins of a user; asks for the user again as confirmation"
    add("delete", text, later("users", "_delete"))
    command = add(
        "reset",
        "give a user a new password, to be changed at the next login; ends sessions and keys",
        later("users", "_reset"),
    )
    command.add_argument("--keep-api-keys", action="store_true", help="the user's API keys stay valid")
    add(
        "remove-second-factor",
        "for a lost device and lost recovery codes; ends the user's sessions",
        later("users", "_remove_factor"),
    )
