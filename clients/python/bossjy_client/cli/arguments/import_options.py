"""Options of `bossjy import` that describe the file and the request."""

from __future__ import annotations

from typing import Any

from bossjy_client.cli.arguments.values import PART_LIMIT, part_count, region_code, reject_limit, whole_number

# The values of the contract belong to these words in `importing/options.py`.
EXISTING = ("fill", "overwrite", "skip")
DUPLICATES = ("first", "last")
DOUBTFUL = ("keep", "reject")
HEADER = ("absent", "present")
FORMATS = ("csv", "jsonl", "tsv")
FIELDS = (
    *("phone", "other", "extension", "name", "given", "family"),
    *("email", "country", "attribute", "attributes", "ignore"),
)


def add_options(command: Any) -> None:
    """Add the options of an import."""
    command.add_argument(
        "--region",
        "--default-region",
        type=region_code,
        metavar="CC",
        default="",
        help="region assumed if there is no calling code: CN, CHN, 86 or China (default: the tenant's)",
    )
    command.add_argument("--existing", choices=EXISTING, help="existing contacts (default: overwrite)")
    command.add_argument("--duplicates", choices=DUPLICATES, help="which of several rows counts (default: first)")
    command.add_argument(
        "--doubtful",
        choices=DOUBTFUL,
        help="numbers that letters or an exponent may have changed; keep: in the attribute number_warning "
        "(default: reject)",
    )
    command.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help=f"meaning of a column, such as phone=手机号; fields: {', '.join(FIELDS)}; may be repeated",
    )
    command.add_argument("--drop-unknown", action="store_true", help="drop columns of unknown meaning")
    command.add_argument(
        "--null",
        action="append",
        default=[],
        metavar="WORD",
        help="a cell that counts as empty, in place of NULL, N/A, - and the like; may be repeated",
    )
    command.add_argument("--keep-null-words", action="store_true", help="NULL, N/A, - and the like are kept as values")
    command.add_argument("--enrich", action="store_true", help="look up carrier and place, and store them")
    command.add_argument("--format", choices=FORMATS, help="form of the file (default: detected)")
    command.add_argument("--encoding", default="", metavar="NAME", help="such as gb18030 (default: detected)")
    command.add_argument("--delimiter", default="", metavar="C", help="one character, or `tab` (default: detected)")
    command.add_argument("--header", choices=HEADER, help="the first row has the column names, or not")
    command.add_argument(
        "--header-row", type=whole_number, default=0, metavar="N", help="line of the header (default: detected)"
    )
    command.add_argument(
        "--skip-rows", type=whole_number, default=0, metavar="N", help="lines to leave out at the start of the file"
    )
    command.add_argument(
        "--quote", default="", metavar="C", help="character around cells, or `none` (default: detected)"
    )
    command.add_argument("--escape", default="", metavar="C", help="character before quotes in cells, \\ for MySQL's")
    command.add_argument(
        "--max-rejects",
        type=reject_limit,
        default="",
        metavar="N|P%",
        help="stop and fail when more rows, or more than P percent of the rows, are rejected",
    )
    command.add_argument("--yes", action="store_true", help="import without the check of the first numbers' region")
    command.add_argument(
        "--sheet", default="", metavar="NAME", help="sheet of a workbook (default: the first with a phone column)"
    )
    command.add_argument(
        "--records", default="", metavar="PATH", help="array of records in a JSON document, such as data.people"
    )
    command.add_argument("--skip-hidden-rows", action="store_true", help="rows hidden in a workbook are not imported")
    command.add_argument("--name", default="", metavar="TEXT", help="name of the import, for people")
    command.add_argument("--parent", default="", metavar="IMPORT", help="the import whose corrected rows these are")
    command.add_argument(
        "--parts",
        type=part_count,
        default=1,
        metavar="N",
        help=f"parallel streams for one file, at most {PART_LIMIT} (default 1)",
    )
