"""Reader of one file format: what a registration states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.tables import TableRows


@dataclass(frozen=True, slots=True)
class Reader:
    """One format. `sniff` looks at `Document.head`, `start` and, where needed, at more of the document."""

    what: str
    """The format for people, with its article."""
    sniff: Callable[[Document], bool]
    """Whether a document has this format. Raises SourceError."""
    read: Callable[[Document, ReadOptions], TableRows]
    """The table of a document, the same bytes each time. Raises SourceError where it cannot be read."""
    needs_file: bool = True
    """Whether the document is read more than once or not from its start; standard input is spooled to a file then."""
    takes: frozenset[str] = frozenset()
    """The fields of ReadOptions that only some formats have: `sheet`, `skip_hidden_rows`, `records`."""
