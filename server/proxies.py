"""Who is really calling when a proxy stands between, and whether it may say which person that is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from store.settings import Settings, is_loopback

Headers = Sequence[tuple[bytes, bytes]]
_FORWARDED = b"x-forwarded-for"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it is to be believed."""

    client: str
    """Address of whoever calls, as far as proxies can be believed."""
    headers: list[tuple[bytes, bytes]]
    """Without the person's headers where the peer may not set them."""
    ambiguous: str | None = None
    """The person's header that is there twice: a proxy added to what the caller sent instead of replacing it."""


class Proxies:
    """Believes ``X-Forwarded-For`` of this machine and of trusted proxies, a person's name of the latter only."""

    def __init__(self, settings: Settings) -> None:
        self._networks = settings.networks
        names = (settings.proxy_user_header, settings.proxy_groups_header)
        self._personal = frozenset(name.lower().encode() for name in names if name is not None)

    def look(self, peer: str, headers: Headers) -> Seen:
        """``peer`` is the address that the connection comes from."""
        client = self._client(peer, headers)
        if not self.trusts(peer):
            return Seen(client, [pair for pair in headers if pair[0].lower() not in self._personal])
        given = [name.lower() for name, _ in headers]
        twice = next((name for name in self._personal if given.count(name) > 1), None)
        return Seen(client, list(headers), None if twice is None else twice.decode())

    def trusts(self, peer: str) -> bool:
        """Whether ``peer`` is a trusted proxy."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)

    def _client(self, peer: str, headers: Headers) -> str:
        """The nearest address that nobody here vouches for: what stands left of it, anybody may have written."""
        client = peer
        hops = b",".join(value for name, value in headers if name.lower() == _FORWARDED).decode("latin-1").split(",")
        for hop in reversed([hop.strip() for hop in hops]):
            if not hop or not (is_loopback(client) or self.trusts(client)):
                break
            try:
                client = str(ip_address(hop))
            except ValueError:
                break
        return client
