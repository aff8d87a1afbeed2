"""Client networks: the unit by which an address counts, and the proxies that may report a client's address.

IPv4 counts by address and IPv6 by /64, which is the least that one subscriber gets. An IPv4-mapped IPv6 address is the
IPv4 address. Every limit, log line and known login uses `network_of`, so an address counts as the same one everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LONGEST_ADDRESS = 64
_MAPPED_BITS = 96
_IPV6_COUNTED_BITS = 64
# Number of entries of `x-forwarded-for` that are read, from the last one on. No sensible chain of proxies is longer.
_HOPS_MAX = 32


class Origin(NamedTuple):
    """The source of a call: its address, and the network by which it counts. `unix` for a local socket."""

    address: str
    network: str


def address_of(text: str) -> Address | None:
    """The address in a text, without its zone; IPv4-mapped IPv6 as IPv4. None if the text is not an address."""
    try:
        found = ip_address(text[:_LONGEST_ADDRESS].partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The network by which an address counts; a text that is not an address counts as itself."""
    found = address_of(address)
    return address[:_LONGEST_ADDRESS] if found is None else _network(found)


@lru_cache(maxsize=4096)
def origin_of_peer(peer: str) -> Origin:
    """The origin in gRPC's name of a peer: `ipv4:127.0.0.1:5000`, `ipv6:%5B::1%5D:5000`, `unix:/a/path`."""
    kind, _, rest = peer.partition(":")
    host = unquote(rest.rpartition(":")[0]).strip("[]") if kind in ("ipv4", "ipv6") else ""
    found = address_of(host)
    return Origin(kind, kind) if found is None else _origin(found)


def read_networks(text: str) -> tuple[str, ...]:
    """Networks from a comma-separated list. Raises ValueError for an invalid one, or one of all addresses."""
    return tuple(str(_read_network(part.strip())) for part in text.split(",") if part.strip())


class TrustedProxies:
    """The networks of the operator's own proxies. Only they may name a client in `x-forwarded-for`."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(one) for one in networks]
        self._trusts = lru_cache(maxsize=4096)(self._looked_up)
        self._named = lru_cache(maxsize=4096)(self._read)

    def __bool__(self) -> bool:
        """True if any proxy is trusted."""
        return bool(self._networks)

    def trusts(self, address: str) -> bool:
        """True if an address is that of a trusted proxy."""
        return self._trusts(address)

    def client(self, peer: Origin, forwarded: Sequence[str]) -> Origin:
        """The client that a trusted `peer` names in the values of its `x-forwarded-for` entries.

        Each proxy appends the address that called it, so the list is read from its end: trusted proxies are skipped,
        and the first other address is the client. Entries before it may come from the client itself. If the list cannot
        be read, the peer is the client.
        """
        return self._named(",".join(forwarded)) or peer

    def _read(self, forwarded: str) -> Origin | None:
        hops = forwarded.split(",")
        found = None
        for hop in reversed(hops[-_HOPS_MAX:]):
            address = _hop(hop)
            if address is None:
                return None
            found = _origin(address)
            if not self._trusts(found.address):
                return found
        return None if len(hops) > _HOPS_MAX else found

    def _looked_up(self, address: str) -> bool:
        found = address_of(address)
        return found is not None and any(found in network for network in self._networks)


def _hop(text: str) -> Address | None:
    """One entry: an address, with or without a port."""
    text = text.strip()
    if text.startswith("["):
        return address_of(text[1:].partition("]")[0])
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return None if len(text) > _LONGEST_ADDRESS else address_of(text)


def _origin(address: Address) -> Origin:
    return Origin(str(address), _network(address))


def _network(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    host_bits = 128 - _IPV6_COUNTED_BITS
    return f"{IPv6Address(int(address) >> host_bits << host_bits)}/{_IPV6_COUNTED_BITS}"


def _read_network(text: str) -> Network:
    try:
        found = ip_network(text)
    except ValueError:
        found = None
    if found is None or found.prefixlen == 0:
        raise ValueError("a list of networks such as `10.0.0.0/8,2001:db8::/32`, none of them of all addresses")
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    if mapped is not None and found.prefixlen > _MAPPED_BITS:
        return IPv4Network((mapped, found.prefixlen - _MAPPED_BITS))
    return found
