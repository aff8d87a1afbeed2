"""Client networks: one form for what is one client, and proxies that name clients."""

from __future__ import annotations

import pytest

from bossjy_server.network import Origin, TrustedProxies, address_of, network_of, origin_of_peer, read_networks

PROXY = Origin("10.0.0.1", "10.0.0.1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::9", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_what_an_address_counts_as(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("peer", "origin"),
    [
        ("ipv4:127.0.0.1:5000", Origin("127.0.0.1", "127.0.0.1")),
        ("ipv6:%5B2001:db8::1%5D:5000", Origin("2001:db8::1", "2001:db8::/64")),
        ("ipv6:[2001:db8::1]:5000", Origin("2001:db8::1", "2001:db8::/64")),
        ("ipv6:%5B::ffff:9.9.9.9%5D:5000", Origin("9.9.9.9", "9.9.9.9")),
        ("ipv6:%5Bfe80::1%25eth0%5D:5000", Origin("fe80::1", "fe80::/64")),
        ("unix:/run/bossjy/socket", Origin("unix", "unix")),
        ("unix-abstract:x", Origin("unix-abstract", "unix-abstract")),
        ("ipv4:nonsense", Origin("ipv4", "ipv4")),
        ("", Origin("", "")),
    ],
)
def test_where_a_connection_comes_from(peer: str, origin: Origin) -> None:
    assert origin_of_peer(peer) == origin


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", ()),
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        (" 10.0.0.1 , 2001:db8::/32,", ("10.0.0.1/32", "2001:db8::/32")),
        ("::ffff:10.0.0.0/104", ("10.0.0.0/8",)),
    ],
)
def test_networks_are_read(text: str, networks: tuple[str, ...]) -> None:
    assert read_networks(text) == networks


@pytest.mark.parametrize("text", ["proxy", "10.0.0.1/8", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.0/8;::1"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/8"):
        read_networks(text)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["192.0.2.1, 203.0.113.7"], "203.0.113.7"),  # the first is the client's own invention
        (["192.0.2.1", "203.0.113.7, 10.9.9.9"], "203.0.113.7"),
        (["203.0.113.7, 10.9.9.9, fd00::5"], "203.0.113.7"),
        (["nonsense, 203.0.113.7"], "203.0.113.7"),  # never read so far
        (["10.7.7.7, 10.9.9.9"], "10.7.7.7"),  # a client within the trusted networks
        (["203.0.113.7, unknown"], "10.0.0.1"),
        (["203.0.113.7,"], "10.0.0.1"),
        ([""], "10.0.0.1"),
        (["x" * 10_000], "10.0.0.1"),
        (["203.0.113.7" + "0" * 100], "10.0.0.1"),
        (["203.0.113.7, " + ", ".join(["10.9.9.9"] * 31)], "203.0.113.7"),
        (["203.0.113.7, " + ", ".join(["10.9.9.9"] * 32)], "10.0.0.1"),  # no chain is so long
    ],
)
def test_a_trusted_proxy_names_the_client(forwarded: list[str], client: str) -> None:
    proxies = TrustedProxies(("10.0.0.0/8", "fd00::/8"))
    assert proxies
    assert proxies.trusts(PROXY.address)
    named = proxies.client(PROXY, forwarded)
    assert named == Origin(client, network_of(client))


def test_others_are_not_trusted() -> None:
    proxies = TrustedProxies(("10.0.0.0/8",))
    assert [proxies.trusts(one) for one in ("11.0.0.1", "2001:db8::1", "unix", "")] == [False] * 4
    assert not TrustedProxies(())
    assert address_of("11.0.0.1 ") is None
