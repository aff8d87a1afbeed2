"""Mail addresses: validation for new users, and the keys by which addresses compare.

Two addresses that look the same must not be two users of a tenant. So addresses compare after NFKC, case folding and
removal of invisible characters (zero-width, bidirectional controls, variation selectors, soft hyphen). A new address
that contains such a character is refused. In the address of a login it does no harm.
"""

from __future__ import annotations

import re
import unicodedata

from bossjy_server.errors import InvalidArgument, Reason, Violation

# The characters that Unicode calls Default_Ignorable_Code_Point, except the format characters (category Cf).
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_KEY_BYTES_MAX = 1280  # an index of PostgreSQL allows some 2,700


def email_key(email: str) -> str:
    """The key by which mail addresses compare."""
    folded = unicodedata.normalize("NFKC", _seen(unicodedata.normalize("NFKC", email))).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def former_email_key(email: str) -> str:
    """The key of earlier releases. Their rows keep it if the new form was already in use."""
    return email.strip().casefold()


def check_email(email: str, *, field: str = "email") -> None:
    """Raise InvalidArgument(INVALID_FIELD) for a text that is not a valid address for a new user."""
    normal = unicodedata.normalize("NFKC", email)
    why = ""
    if _seen(email) != email or any(unicodedata.category(char) == "Cc" for char in email):
        why = "must not contain invisible or control characters: type it again"
    elif not _ADDRESS.fullmatch(normal) or len(email_key(email).encode()) > _KEY_BYTES_MAX:
        why = "must be a mail address with one @"
    if why:
        raise InvalidArgument(Reason.INVALID_FIELD, f"{field} {why}", violations=[Violation(field, why)])


def _seen(text: str) -> str:
    """The text without invisible characters."""
    if text.isascii():
        return text
    return "".join(char for char in _IGNORABLE.sub("", text) if unicodedata.category(char) != "Cf")
