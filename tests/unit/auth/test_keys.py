from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt import PyJWK

from bossjy_server.auth.credentials.keys import Keys, write_private
from bossjy_server.auth.credentials.tokens import AccessTokens
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.people.operator import key_lines
from bossjy_server.errors import StartError, Unauthenticated
from tests.unit.auth.conftest import Clock, load_keys
from tests.unit.auth.test_tokens import CALLER


def test_keys_are_created_once_and_only_for_the_service(tmp_path: Path, clock: Clock, options: AuthOptions) -> None:
    first = load_keys(tmp_path, clock, options)
    second = load_keys(tmp_path, clock, options)
    assert first.signing.kid == second.signing.kid
    assert first.mac("x", b"1") == second.mac("x", b"1")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_servers_that_start_at_once_make_one_key(tmp_path: Path, clock: Clock, options: AuthOptions) -> None:
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: load_keys(tmp_path, clock, options), range(8)))
    assert len({keys.signing.kid for keys in loaded}) == 1
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 1


def test_a_new_key_is_published_before_it_signs_and_the_old_one_overlaps(
    tmp_path: Path, keys: Keys, clock: Clock, options: AuthOptions
) -> None:
    replica = load_keys(tmp_path, clock, options)
    tokens = AccessTokens(keys, options, clock)
    elsewhere = AccessTokens(replica, options, clock)
    old_kid, old = keys.signing.kid, tokens.issue(CALLER).token
    clock.now += 10
    new_kid = keys.rotate().kid
    replica.reload()
    assert (keys.signing.kid, [key.kid for key in keys.published()]) == (old_kid, [old_kid, new_kid])
    clock.now += 60
    assert (keys.signing.kid, [key.kid for key in keys.published()]) == (new_kid, [new_kid, old_kid])
    late = AccessTokens(keys, options, clock).issue(CALLER).token
    elsewhere.verify(late)
    elsewhere.verify(old)
    clock.now += 609  # the last token that the old key can have signed has expired
    assert keys.verifying(old_kid)
    clock.now += 1
    assert keys.verifying(old_kid) is None
    assert [key.kid for key in keys.published()] == [new_kid]
    with pytest.raises(Unauthenticated):
        tokens.verify(old)


def test_rotating_deletes_retired_keys(tmp_path: Path, keys: Keys, clock: Clock) -> None:
    for _ in range(5):
        clock.now += 1000
        keys.rotate()
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 2


def test_rotations_within_one_second_are_in_order(keys: Keys, clock: Clock) -> None:
    made = [keys.rotate().kid for _ in range(8)]
    clock.now += 2_000
    assert keys.signing.kid == made[-1]
    assert [key.kid for key in keys.known()[:8]] == made[::-1]


def test_published_keys_verify_and_contain_no_secret(keys: Keys, tokens: AccessTokens) -> None:
    jwk = keys.published()[0].jwk()
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert PyJWK(jwk).key.public_numbers() == keys.signing.public.public_numbers()
    assert "PRIVATE" not in repr(keys.signing)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path, clock: Clock, options: AuthOptions) -> None:
    load_keys(tmp_path, clock, options)
    secret = tmp_path / "keys" / "secret.key"
    secret.chmod(0o640)
    with pytest.raises(StartError, match="chmod 600"):
        load_keys(tmp_path, clock, options)


@pytest.mark.parametrize("damage", ["empty", "text", "curve", "encrypted", "name", "short"])
def test_a_damaged_folder_is_refused_in_one_line(
    tmp_path: Path, clock: Clock, options: AuthOptions, damage: str
) -> None:
    load_keys(tmp_path, clock, options)
    (path,) = (tmp_path / "keys").glob("*.pem")
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a key")
    elif damage == "curve":
        other = ec.generate_private_key(ec.SECP384R1())
        path.write_bytes(
            other.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    elif damage == "encrypted":
        path.write_bytes(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
    elif damage == "name":
        path.rename(path.with_name(f"1-{'A' * 43}.pem"))
    else:
        (tmp_path / "keys" / "secret.key").write_bytes(b"short")
    with pytest.raises(StartError) as caught:
        load_keys(tmp_path, clock, options)
    assert "\n" not in str(caught.value)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="there"):
        write_private(tmp_path / "there", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_files_that_are_no_keys_do_not_matter(tmp_path: Path, clock: Clock, options: AuthOptions) -> None:
    first = load_keys(tmp_path, clock, options)
    (tmp_path / "keys" / "readme.pem").write_text("x")
    assert load_keys(tmp_path, clock, options).signing.kid == first.signing.kid


def test_a_folder_that_vanishes_does_not_take_the_keys_of_a_running_server(tmp_path: Path, keys: Keys) -> None:
    kid = keys.signing.kid
    (tmp_path / "keys").rename(tmp_path / "gone")
    keys.reload()
    assert keys.signing.kid == kid


def test_parts_of_a_mac_do_not_run_together(keys: Keys) -> None:
    macs = {keys.mac("x", b"ab", b"c"), keys.mac("x", b"a", b"bc"), keys.mac("x", b"abc"), keys.mac("xa", b"bc")}
    assert len(macs) == 4


def test_the_list_of_keys_says_what_each_does(keys: Keys, clock: Clock) -> None:
    def said() -> list[str]:
        return [line.split("+00:00  ")[1] for line in key_lines(keys)]

    assert said() == ["signs"]
    clock.now += 10
    keys.rotate()
    assert said() == ["is published and will sign soon", "signs"]
    clock.now += 60
    assert said() == ["signs", "verifies tokens that it signed"]
    clock.now += 610
    assert said() == ["signs", "has ended: the next rotation removes it"]
