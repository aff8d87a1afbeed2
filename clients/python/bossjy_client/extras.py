"""Optional dependencies: a missing one is an error that names the extra to install."""

from __future__ import annotations

from bossjy_client.errors import BossjyError

# The extra of each optional library, by its top-level module.
EXTRAS = {"pyarrow": "tables", "python_calamine": "excel", "rich": "cli"}


class MissingExtraError(BossjyError):
    """A part of this package needs a library that is not installed."""


def missing_extra(error: BaseException | None) -> MissingExtraError | None:
    """The error that names the extra; None if the error is not about a missing library of an extra."""
    module = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if module not in EXTRAS:
        return None
    return MissingExtraError(f"this needs {module.replace('_', '-')}: pip install 'bossjy[{EXTRAS[module]}]'")
