"""Example for each command, shown by its `--help`. A test parses each of them with the tool's own parser."""

from __future__ import annotations

from typing import Any

EXAMPLE_TITLES = ("example:", "examples:")
EXAMPLES = {
    "login": ("bossjy login --tenant acme-1 --email me@example.com", "bossjy login --api-key-stdin < key"),
    "password": ("bossjy password --end-other-sessions", "bossjy password --password-stdin < passwords"),
    "register": ("bossjy register --tenant-name Acme --email me@example.com",),
    "logout": ("bossjy logout",),
    "whoami": ("bossjy whoami --json",),
    "second-factor enrol": ("bossjy second-factor enrol",),
    "second-factor confirm": ("bossjy second-factor confirm",),
    "second-factor disable": ("bossjy second-factor disable",),
    "sessions list": ("bossjy sessions list",),
    "sessions revoke": ("bossjy sessions revoke r5driqdzcvqvfawa6bhf",),
    "users list": ('bossjy users list --filter \'role = "admin" AND state = "active"\'',),
    "users show": ("bossjy users show ann@example.com",),
    "users create": ("bossjy users create ann@example.com --role admin --name Ann",),
    "users role": ("bossjy users role ann@example.com member",),
    "users disable": ("bossjy users disable ann@example.com",),
    "users enable": ("bossjy users enable ann@example.com",),
    "users delete": ("bossjy users delete ann@example.com",),
    "users reset": ("bossjy users reset ann@example.com",),
    "users remove-second-factor": ("bossjy users remove-second-factor ann@example.com",),
    "tenant show": ("bossjy tenant show",),
    "tenant set": ("bossjy tenant set --region CN", "bossjy tenant set --second-factor required"),
    "audit": ('bossjy audit --filter \'action = "auth.login" AND outcome != "OK"\' --limit 20',),
    "keys list": ("bossjy keys list",),
    "keys create": ("bossjy keys create --name importer --scope imports.write --scope imports.read --days 90",),
    "keys revoke": ("bossjy keys revoke abc234",),
    "phone validate": ('bossjy phone validate --region CN "138 0000 0000" "+44 20 7946 0958"',),
    "phone bulk": (
        "bossjy phone bulk numbers.txt --region CN -o checked.csv",
        """bossjy phone bulk list.csv --column phone --where 'region = "CN" AND type = "MOBILE"' -o mobile.csv""",
    ),
    "phone explain": ('bossjy phone explain --region CN "138 0000 000"',),
    "phone lookup": ('bossjy phone lookup --region CN "138 0000 0000"',),
    "phone format": ("bossjy phone format +442079460958 --from US",),
    "phone match": ('bossjy phone match +442079460958 "020 7946 0958" --region GB',),
    "phone find": ('bossjy phone find "call +44 20 7946 0958 now"',),
    "phone regions": ("bossjy phone regions --calling-code 44", 'bossjy phone regions --number "020 7946 0958"'),
    "phone region": ("bossjy phone region GB",),
    "phone partial": ("bossjy phone partial 1380000 --region CN",),
    "phone short": ("bossjy phone short 110 --region CN",),
    "imports list": ("bossjy imports list --limit 5",),
    "imports show": ("bossjy imports show imp_0123456789abcdef0123",),
    "imports watch": ("bossjy imports watch imp_0123456789abcdef0123",),
    "imports cancel": ("bossjy imports cancel imp_0123456789abcdef0123",),
    "imports revert": ("bossjy imports revert imp_0123456789abcdef0123 --dry-run",),
    "imports rejects": ("bossjy imports rejects imp_0123456789abcdef0123 -o rejects.csv",),
    "imports duplicates": ("bossjy imports duplicates imp_0123456789abcdef0123 -o duplicates.csv",),
    "imports changes": ("bossjy imports changes imp_0123456789abcdef0123",),
    "contacts list": ('bossjy contacts list --filter \'region = "CN" AND name : "wang"\' --limit 10',),
    "contacts get": ("bossjy contacts get +8613800000000",),
    "contacts stats": ("bossjy contacts stats --by region --by carrier",),
    "contacts export": ("bossjy contacts export --format jsonl -o contacts.jsonl",),
    "contacts delete": ("bossjy contacts delete +8613800000000",),
    "contacts erase": ('bossjy contacts erase +8613800000000 --purpose "GDPR 17"',),
    "plan show": ("bossjy plan show",),
    "completion": ("bossjy completion bash",),
    "plan diff": ("bossjy plan diff 9.0.38 --region GB",),
}


def example(command: str) -> dict[str, Any]:
    """Arguments for `add_parser` that show the examples of a command."""
    lines = EXAMPLES[command]
    title = EXAMPLE_TITLES[len(lines) > 1]
    return {"epilog": "\n  ".join((title, *lines))}
