"""Signing keys and secret of the service, in a folder that only the service may read.

    keys/secret.key              32 random bytes: the HMAC key of refresh tokens, page tokens and throttle entries
    keys/<created>-<kid>.pem     one P-256 private key (PKCS #8); `created` is Unix time in seconds

The file names are the whole state. The newest key that is old enough signs. A key verifies until the last token that it
can have signed has ended. Replicas that share the folder find a new key within `reload_s`. It signs only after
`activation_s`, so no client sees a key that is not published yet.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bossjy_server.errors import StartError

_KEY_FILE = re.compile(r"^(?P<created>[0-9]{1,12})-(?P<kid>[A-Za-z0-9_-]{43})\.pem$")
SECRET_BYTES = 32
_KEYS_MAX = 32  # loaded keys; more in the folder is a mistake


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair."""

    kid: str  # RFC 7638 thumbprint
    created: int
    private: ec.EllipticCurvePrivateKey = field(repr=False)
    public: ec.EllipticCurvePublicKey = field(repr=False)

    def jwk(self) -> dict[str, str]:
        """The public half as RFC 7517 defines it."""
        return _coordinates(self.public) | {"kid": self.kid, "alg": "ES256", "use": "sig"}


class Keys:
    """The loaded keys. Only `load`, `reload`, `rotate` and `remove` access the disk."""

    def __init__(
        self,
        folder: Path,
        *,
        retire_s: float,
        activation_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._retire_s = retire_s
        self._activation_s = activation_s
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._secret = b""
        self.removals = 0  # number of removals of loaded keys: tokens verified before must be verified again

    @classmethod
    def load(
        cls, folder: Path, *, retire_s: float, activation_s: float, clock: Callable[[], float] = time.time
    ) -> Keys:
        """Load the keys of `folder`; create them if there are none.

        `retire_s` is the longest lifetime of a token, with leeway. Raises StartError if the folder or a file in it
        cannot be used or others may read it.
        """
        keys = cls(folder, retire_s=retire_s, activation_s=activation_s, clock=clock)
        try:
            with _locked(folder):
                keys._secret = _read_or_make_secret(folder / "secret.key")
                keys.reload()
                if not keys._keys:
                    _make_key(folder, int(clock()))
                    keys.reload()
        except (OSError, ValueError) as error:
            raise StartError(f"the key folder {folder} cannot be used: {error}") from error
        return keys

    @property
    def signing(self) -> SigningKey:
        """The key that signs now."""
        ripe = self._clock() - self._activation_s
        ordered = self._ordered()
        return next((key for key in ordered if key.created <= ripe), ordered[-1])

    def verifying(self, kid: str) -> SigningKey | None:
        """The key of that id, if tokens that it signed can still be valid."""
        key = self._keys.get(kid)
        return key if key is not None and not self._retired(key) else None

    def published(self) -> list[SigningKey]:
        """Keys for the JWKS: the signing key first, then the others from new to old."""
        signing = self.signing
        return [signing, *(key for key in self._ordered() if key is not signing and not self._retired(key))]

    def mac(self, purpose: str, *parts: bytes) -> bytes:
        """HMAC-SHA256 of length-prefixed parts under the service's secret; `purpose` separates the uses."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in (purpose.encode(), *parts))
        return hmac.digest(self._secret, message, "sha256")

    def reload(self) -> None:
        """Load new keys of the folder, forget removed ones. Raises OSError, ValueError."""
        found: dict[str, SigningKey] = {}
        for path in sorted(self._folder.glob("*.pem"), reverse=True)[:_KEYS_MAX]:
            match = _KEY_FILE.match(path.name)
            if match:
                kid = match["kid"]
                found[kid] = self._keys.get(kid) or _read_key(path, kid, int(match["created"]))
        if found or not self._keys:  # a folder that vanishes under a running server does not remove its keys
            if not self._keys.keys() <= found.keys():
                self.removals += 1
            self._keys = found

    def known(self) -> list[SigningKey]:
        """All loaded keys, from new to old."""
        return self._ordered()

    def rotate(self) -> SigningKey:
        """Create a new key, which signs after `activation_s`; delete the files of retired ones. Blocks."""
        with _locked(self._folder):
            self.reload()
            for key in self._ordered():
                if self._retired(key):
                    (self._folder / f"{key.created}-{key.kid}.pem").unlink(missing_ok=True)
            # Names have whole seconds, and the newest key signs: two rotations in one second must have two times.
            newest = max((key.created for key in self._keys.values()), default=0)
            kid = _make_key(self._folder, max(int(self._clock()), newest + 1))
            self.reload()
        return self._keys[kid]

    def remove(self, kid: str) -> None:
        """Delete a compromised key immediately. Its tokens end within `reload_s`. Blocks.

        Raises KeyError for an id that is not loaded, ValueError for the only key.
        """
        with _locked(self._folder):
            self.reload()
            key = self._keys[kid]
            if len(self._keys) == 1:
                raise ValueError("the only signing key cannot be removed: rotate first")
            (self._folder / f"{key.created}-{key.kid}.pem").unlink(missing_ok=True)
            self.reload()

    def _ordered(self) -> list[SigningKey]:
        return sorted(self._keys.values(), key=lambda key: (key.created, key.kid), reverse=True)

    def _retired(self, key: SigningKey) -> bool:
        """True if a newer key has signed for longer than any token lives."""
        horizon = self._clock() - self._activation_s - self._retire_s
        return any(
            other.created <= horizon and (other.created, other.kid) > (key.created, key.kid)
            for other in self._keys.values()
        )


def _coordinates(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(numbers.x.to_bytes(32, "big")),
        "y": _base64url(numbers.y.to_bytes(32, "big")),
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _thumbprint(public: ec.EllipticCurvePublicKey) -> str:
    jwk = _coordinates(public)
    canonical = "{" + ",".join(f'"{name}":"{jwk[name]}"' for name in ("crv", "kty", "x", "y")) + "}"
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _read_key(path: Path, kid: str, created: int) -> SigningKey:
    try:
        private = serialization.load_pem_private_key(_read_private(path), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path.name} is encrypted or of an unsupported kind") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise ValueError(f"{path.name} is not a P-256 key")  # noqa: TRY004 - an error of the file, not of an argument
    public = private.public_key()
    if _thumbprint(public) != kid:
        raise ValueError(f"{path.name} does not contain the key that its name states")
    return SigningKey(kid, created, private, public)


def _make_key(folder: Path, created: int) -> str:
    private = ec.generate_private_key(ec.SECP256R1())
    kid = _thumbprint(private.public_key())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / f"{created}-{kid}.pem", pem)
    return kid


def _read_or_make_secret(path: Path) -> bytes:
    if not path.exists():
        write_private(path, secrets.token_bytes(SECRET_BYTES))
    secret = _read_private(path)
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"{path.name} must have {SECRET_BYTES} bytes and has {len(secret)}")
    return secret


def _read_private(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise ValueError(f"{path.name} is readable by others (mode {mode:o}): run chmod 600 on it")
        return file.read(16_384)


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 atomically: complete or not at all, even after a power failure."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two servers that start together create only one key."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
