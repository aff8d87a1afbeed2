"""Options of `bossjy import`: their definitions, the request that they make, and their text as a command line."""

from __future__ import annotations

import argparse
import shlex

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.cli.messages import tr

EXISTING = {
    "skip": import_pb2.EXISTING_POLICY_SKIP,
    "fill": import_pb2.EXISTING_POLICY_FILL_EMPTY,
    "overwrite": import_pb2.EXISTING_POLICY_OVERWRITE,
}
_DUPLICATE = {
    "first": import_pb2.DUPLICATE_POLICY_FIRST_WINS,
    "last": import_pb2.DUPLICATE_POLICY_LAST_WINS,
}
_DOUBTFUL = {
    "reject": import_pb2.DOUBTFUL_POLICY_REJECT,
    "keep": import_pb2.DOUBTFUL_POLICY_KEEP,
}
_HEADER = {"present": import_pb2.HEADER_PRESENT, "absent": import_pb2.HEADER_ABSENT}
_NO_QUOTES = "none"
# A longer region is a name.
_CODE_LETTERS = 3
_FORMATS = {
    "csv": import_pb2.FILE_FORMAT_CSV,
    "tsv": import_pb2.FILE_FORMAT_TSV,
    "jsonl": import_pb2.FILE_FORMAT_JSONL,
}
FIELDS = {
    "phone": import_pb2.CONTACT_FIELD_PHONE_NUMBER,
    "other": import_pb2.CONTACT_FIELD_OTHER_NUMBER,
    "extension": import_pb2.CONTACT_FIELD_EXTENSION,
    "name": import_pb2.CONTACT_FIELD_NAME,
    "given": import_pb2.CONTACT_FIELD_GIVEN_NAME,
    "family": import_pb2.CONTACT_FIELD_FAMILY_NAME,
    "email": import_pb2.CONTACT_FIELD_EMAIL,
    "country": import_pb2.CONTACT_FIELD_COUNTRY,
    "attribute": import_pb2.CONTACT_FIELD_ATTRIBUTE,
    "attributes": import_pb2.CONTACT_FIELD_ATTRIBUTES,
    "ignore": import_pb2.CONTACT_FIELD_IGNORE,
}
FIELD_WORDS = {number: word for word, number in FIELDS.items()}
# Options that make up the request, by their name in the parsed command line.
_WRITTEN = (
    "region",
    "existing",
    "duplicates",
    "doubtful",
    "map",
    "format",
    "encoding",
    "delimiter",
    "header",
    "header_row",
    "skip_rows",
    "quote",
    "escape",
    "sheet",
    "records",
    "skip_hidden_rows",
    "enrich",
    "language",
    "drop_unknown",
    "null",
    "keep_null_words",
    "parent",
    "name",
    "parts",
    "max_rejects",
    "yes",
)


def spec_of(args: argparse.Namespace) -> import_pb2.ImportSpec:
    """The request of the options. Raises UsageError."""
    spec = import_pb2.ImportSpec(
        display_name=args.name,
        default_region=args.region.upper() if len(args.region) <= _CODE_LETTERS else args.region,
        drop_unknown_columns=args.drop_unknown,
        enrich=args.enrich,
        language=args.language,
        parent_import_id=args.parent,
    )
    spec.source.encoding = args.encoding
    spec.source.delimiter = {"\\t": "\t", "tab": "\t"}.get(args.delimiter, args.delimiter)
    if args.quote.lower() == _NO_QUOTES:
        spec.source.quoting = import_pb2.QUOTING_NONE
    else:
        spec.source.quote = args.quote
    spec.source.escape = args.escape
    spec.source.header_row = args.header_row
    spec.source.skip_rows = args.skip_rows
    _set_limit(spec, args.max_rejects)
    _check_characters(args)
    if args.null and args.keep_null_words:
        raise UsageError(tr("--null and --keep-null-words exclude each other: give one of them"))
    if args.null or args.keep_null_words:
        spec.null_values.SetInParent()
        spec.null_values.values.extend(args.null)
    if args.existing:
        spec.existing_policy = EXISTING[args.existing]
    if args.duplicates:
        spec.duplicate_policy = _DUPLICATE[args.duplicates]
    if args.doubtful:
        spec.doubtful_policy = _DOUBTFUL[args.doubtful]
    if args.header:
        spec.source.header = _HEADER[args.header]
    if args.format:
        spec.source.format = _FORMATS[args.format]
    for text in args.map:
        field, column = split_mapping(text)
        spec.mapping.add(column=column, field=FIELDS[field])
    return spec


def _set_limit(spec: import_pb2.ImportSpec, text: str) -> None:
    if text.endswith("%"):
        spec.reject_limit.percent = float(text[:-1])
    elif text:
        spec.reject_limit.rows = int(text)


def _check_characters(args: argparse.Namespace) -> None:
    """Raises UsageError."""
    if len(args.escape) > 1 or (len(args.quote) > 1 and args.quote.lower() != _NO_QUOTES):
        raise UsageError(tr("--quote and --escape take one character each; --quote none says that there are no quotes"))
    if args.header == "absent" and args.header_row:
        raise UsageError(tr("--header absent and --header-row exclude each other: give one of them"))
    if args.header_row and args.skip_rows >= args.header_row:
        raise UsageError(
            tr(
                "--skip-rows {skip_rows} leaves out line {header_row} of the header",
                skip_rows=args.skip_rows,
                header_row=args.header_row,
            )
        )


def split_mapping(text: str) -> tuple[str, str]:
    """Field and column of `FIELD=COLUMN`. Raises UsageError."""
    field, _, column = text.partition("=")
    if field not in FIELDS or not column:
        raise UsageError(
            tr("--map {text}: write FIELD=COLUMN, where FIELD is one of {names}", text=text, names=", ".join(FIELDS))
        )
    return field, column


def command_line(args: argparse.Namespace, file: str) -> str:
    """The command that does the same without questions, in the syntax of a shell."""
    words = ["bossjy", "import", file]
    for name in _WRITTEN:
        value = getattr(args, name)
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif isinstance(value, list):
            words += [word for one in value for word in (option, one)]
        elif value and (name != "parts" or value != 1):
            words += [option, str(value)]
    return shlex.join(words)
