"""Output of the demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.importing.summary import identity_holds
from bossjy_client.cli.output import escape
from bossjy_server.demo.expected import Expected
from bossjy_server.demo.tenant import Demo, DemoFolder

_COUNTS = (
    ("rows in the file", "rows_in"),
    ("new contacts", "inserted"),
    ("changed contacts", "updated"),
    ("unchanged", "unchanged"),
    ("duplicates in the file", "duplicate"),
    ("rejected", "rejected"),
)


def show_credentials(console: Console, demo: Demo, folder: DemoFolder) -> None:
    """Show the password, the only time."""
    console.print("\nA tenant was created for you. This is shown once:", markup=False)
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in (("tenant", demo.tenant_id), ("mail address", demo.email), ("password", demo.password)):
        table.add_row(name, escape(value))
    console.print(table)
    console.print(f"Stored in {folder.credentials} (0600).\n", markup=False)


def show_result(console: Console, job: import_pb2.Import, expected: Expected, differences: Sequence[str]) -> None:
    """The counts next to the expected ones, the rejects by reason, the regions."""
    table = Table(title=f"{job.spec.file_name}, plan {job.metadata_version}", title_justify="left")
    table.add_column("")
    table.add_column("imported", justify="right")
    table.add_column("expected", justify="right")
    for text, name in _COUNTS:
        table.add_row(text, f"{getattr(job.counts, name):,}", f"{getattr(expected.counts, name):,}")
    console.print(table)
    rejects = [(reason, str(count)) for reason, count in expected.reasons.most_common()]
    regions = [(region, f"{count:,}") for region, count in expected.regions.most_common(8)]
    console.print(_columns("rejected because", rejects))
    console.print(_columns("contacts by region (the first eight)", regions))
    holds = identity_holds(job.counts)
    console.print(f"rows in = new + changed + unchanged + duplicates + rejected: {'correct' if holds else 'WRONG'}")
    for difference in differences:
        console.print(f"WRONG: {difference}", markup=False)
    if not differences:
        console.print(
            "Counts, rejected rows and contacts are exactly those of an independent model with libphonenumber."
        )


def _columns(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def show_calls(console: Console, address: str, token: Path) -> None:
    """Lines to paste into a shell in the checkout."""
    header = '-H "authorization: Bearer $TOKEN"'
    number = """'{"phone_number":"+86 138 0000 0000","default_region":"CN"}'"""
    contacts = "bossjy.contacts.v1.ContactService/ListContacts"
    shown = _from_here(token)
    lines = (
        "Call it (`make test` installs grpcurl in .venv/bin):",
        "",
        f"  export TOKEN=$(cat {shown})",
        f"  .venv/bin/grpcurl -plaintext {header} -d {number} {address} bossjy.phone.v1.PhoneService/ValidateNumber",
        f"  .venv/bin/grpcurl -plaintext {header} -d '{{\"page_size\":3}}' {address} {contacts}",
        f"  .venv/bin/grpcurl -plaintext {header} {address} list",
        "",
        "From Python:",
        "",
        f"  .venv/bin/python -c '{_PYTHON % {'address': address, 'token': shown}}'",
        "",
        "With the command-line tool:",
        "",
        f"  .venv/bin/bossjy login --target {address} --api-key-stdin < {shown}",
        "  .venv/bin/bossjy phone validate --region CN '138 0000 0000'",
        "  .venv/bin/bossjy contacts list --limit 5",
    )
    console.print()
    for line in lines:
        console.print(line, markup=False)


_PYTHON = """import asyncio
from bossjy_client import Client
async def main():
    async with await Client.connect("%(address)s", token=open("%(token)s").read().strip()) as client:
        print(await client.phone.validate("138 0000 0000", "CN"))
asyncio.run(main())"""


def _from_here(path: Path) -> Path:
    """The path relative to the reader's folder, if it is below that."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path.absolute()
