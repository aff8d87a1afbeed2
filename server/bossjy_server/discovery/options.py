"""Settings of the registration in Consul, with their defaults. Times are seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting

# Consul itself accepts more, but such a name has no DNS name.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_TAGS_MOST = 50


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a DNS label: 1 to 63 letters, digits and hyphens, such as `bossjy`")
    return text


def _tags(text: str) -> tuple[str, ...]:
    tags = tuple(tag for part in text.split(",") if (tag := part.strip()))
    if len(tags) > _TAGS_MOST or any(len(tag) > 500 or not tag.isprintable() for tag in tags):
        raise ValueError(f"at most {_TAGS_MOST} tags of at most 500 characters, separated by commas")
    return tags


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """The agent of Consul, and the entry of this server. If the URL is empty, nothing is registered."""

    url: str = setting(
        "BOSSJY_CONSUL_URL",
        "",
        read.url("http", "https"),
        "Consul agent of this machine, such as `http://127.0.0.1:8500`. If empty, the server does not register itself.",
        secret=True,  # it may contain a password
    )
    token: str = setting("BOSSJY_CONSUL_TOKEN", "", str, "ACL token for the agent. If empty, none.", secret=True)
    service: str = setting("BOSSJY_CONSUL_SERVICE", "bossjy", _name, "Name of the service in Consul.")
    address: str = setting(
        "BOSSJY_CONSUL_ADDRESS",
        "",
        read.host,
        "Address that clients and the agent's check use. If empty: BOSSJY_HOST, or for all addresses the one that "
        "faces the agent.",
    )
    tags: tuple[str, ...] = setting(
        "BOSSJY_CONSUL_TAGS",
        (),
        _tags,
        "Tags of the entry, separated by commas, such as `traefik.enable=true`.",
    )
    check_interval_s: float = setting(
        "BOSSJY_CONSUL_CHECK_INTERVAL_S", 5.0, read.decimal(1, 600), "Seconds between the agent's health checks."
    )
    remove_after_s: float = setting(
        "BOSSJY_CONSUL_REMOVE_AFTER_S",
        600.0,
        read.decimal(60, 86_400),
        "Seconds after which Consul removes a server that is not healthy. Consul's own minimum is 60.",
    )
    renew_s: float = setting(
        "BOSSJY_CONSUL_RENEW_S",
        5.0,
        read.decimal(0.1, 600),
        "Seconds between looks for the entry. An agent that restarted without it gets it again.",
    )
    leave_s: float = setting(
        "BOSSJY_CONSUL_LEAVE_S",
        2.0,
        read.decimal(0, 60),
        "Seconds between the removal of the entry and the drain, in which callers hear of it.",
    )
    timeout_s: float = 2.0  # of one request
    longest_wait_s: float = 30.0  # between attempts while the agent does not answer
