"""What may be asked: addresses before they are asked, and every socket where it opens. See docs/decisions/0028.

An address of a source of ours names a public domain. A name may still lead anywhere, today or at the next look-up, so each DNS
answer is judged and the socket is opened to the address that was judged: there is no second look-up. One forbidden answer
refuses the name.

Nothing rests on `ipaddress.is_global`: Python 3.11.7 calls 64:ff9b::7f00:1 and 192.0.0.8 global. What is forbidden is the IANA
special-purpose registries of 2026-08-22, multicast, and what no registry has; of IPv6 only 2000::/3 is in use (RFC 4291,
registry of 2026-08-22).
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import httpx

from catalog.errors import FetchError

Network = IPv4Network | IPv6Network
#: The addresses of a name; raises OSError.
Lookup = Callable[[str, int], Sequence[str]]

PORTS = frozenset({80, 443})
LOOKUP_SECONDS = 10.0
ATTEMPTS = 4  # of a name's addresses that are tried: a zone of hundreds that do not answer must not hold a visit

#: A public domain name: ASCII labels, no dot at the end, a last label with which no notation of an address ends (RFC 1123).
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
#: A name of a local network: as above, or a single label.
_LOCAL_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: Endings of names of local networks (RFC 6761, RFC 6762 appendix G).
_LOCAL = tuple(f".{n}" for n in "local localhost localdomain internal intranet private corp home lan home.arpa".split())
_CONTROL = re.compile("[\x00-\x1f\x7f]")

_FORBIDDEN_4 = tuple(
    map(
        IPv4Network,
        # This network, private, shared, loopback, link-local (all clouds' metadata), private, protocol assignments (Oracle's
        # metadata), documentation, AS112, AMT, 6to4 relays, private, AS112, benchmarks, documentation twice, multicast,
        # reserved and broadcast. The last one is public and answers inside of Azure's networks only: its wire server.
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
        "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 "
        "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32".split(),
    )
)
_IN_USE_6 = IPv6Network("2000::/3")
_FORBIDDEN_6 = tuple(
    map(
        IPv6Network,
        # Protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112, documentation.
        "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20".split(),
    )
)
_MAPPED, _NAT64 = IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a source may reach, beyond public domain names at the ordinary ports."""

    networks: tuple[Network, ...] = ()  # not public, and allowed all the same
    ports: frozenset[int] = PORTS


PUBLIC = Reach()


def networks_in(text: str) -> tuple[Network, ...]:
    """Networks written as CIDR with blanks between; raises ValueError."""
    return tuple(ip_network(one) for one in text.split())


def may_reach(address: str, reach: Reach = PUBLIC) -> bool:
    """True when a socket to the literal address may be opened."""
    try:
        found = _arrives_at(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if any(found in network for network in reach.networks if network.version == found.version):
        return True
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _FORBIDDEN_4)
    return found in _IN_USE_6 and not any(found in network for network in _FORBIDDEN_6)


def _arrives_at(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Where a packet to the address arrives: the IPv4 address in a mapped one, and in one of a NAT64 gateway.

    With DNS64 every IPv4 host of the world has such an address. Other wrappings (6to4, Teredo, compatible) are forbidden.
    """
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def check_address(url: str, reach: Reach = PUBLIC) -> None:
    """Refuse what no source is: other schemes, credentials, ports, literal addresses, local names; raises FetchError.

    Sources are named by their domain, so a literal address, also one reached by a redirect, is an attack or a mistake. Where
    private networks may be reached, their addresses and names of local networks are let through, too.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FetchError(shown(url), "address-refused", "not an address") from None
    plain = parts.scheme in ("http", "https") and parts.username is None and (port is None or port in reach.ports)
    if not plain or not _is_allowed(host, "[" in parts.netloc, reach) or _CONTROL.search(url):
        # urlsplit drops tabs and line ends, which others keep.
        raise FetchError(shown(url), "address-refused", "refused: only http(s) addresses of public domain names are fetched")


def _is_allowed(host: str, bracketed: bool, reach: Reach) -> bool:
    if not bracketed and _DOMAIN.fullmatch(host) and not host.endswith(_LOCAL):
        return True
    if not reach.networks:
        return False
    if not bracketed and _LOCAL_NAME.fullmatch(host):
        return True  # where it leads is judged when it is looked up
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # As it is written everywhere: another notation is a disguise.
    usual = str(address) == host and "%" not in host and bracketed == (address.version == 6)
    return usual and any(address in network for network in reach.networks if network.version == address.version)


def system_lookup(host: str, port: int) -> Sequence[str]:
    """The addresses of a name by the system's resolver, in its order; raises OSError, also when that takes too long."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=ask, name=f"lookup {host}", daemon=True)
    thread.start()
    thread.join(LOOKUP_SECONDS)
    if not found:
        raise TimeoutError(f"the name was not looked up in {LOOKUP_SECONDS:.0f} s")
    if isinstance(found[0], Exception):
        raise OSError(str(found[0])) from found[0]
    return list(dict.fromkeys(str(info[4][0]) for info in found[0]))


def addresses_of(host: str, port: int, reach: Reach, lookup: Lookup = system_lookup) -> Sequence[str]:
    """The literal addresses of a host that may be connected to, all that it has; raises FetchError, and OSError as `lookup`."""
    found = lookup(host, port)
    if port not in reach.ports or not found or not all(may_reach(address, reach) for address in found):
        # Which address it is stays unsaid: errors are shown to readers.
        raise FetchError(f"https://{host}", "address-refused", "refused: the name leads to a private or reserved network")
    return found


class CheckedBackend(httpcore.NetworkBackend):
    """Opens sockets to judged addresses and to nothing else; TLS still asks for the certificate of the name."""

    def __init__(self, reach: Reach, lookup: Lookup) -> None:
        self._reach, self._lookup, self._inner = reach, lookup, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the name's addresses that answers; raises FetchError or httpcore's errors."""
        try:
            found = addresses_of(host, port, self._reach, self._lookup)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception | None = None
        for address in found[:ATTEMPTS]:
            try:
                # A literal address: nothing is looked up again.
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure


class CheckedTransport(httpx.HTTPTransport):
    """httpx's transport on a pool whose sockets are opened by a `CheckedBackend`."""

    def __init__(self, backend: CheckedBackend, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False, limits=limits)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            network_backend=backend,
        )


def shown(url: str) -> str:
    """The address for a message: ASCII, at most 100 characters, and such that urlsplit can read it."""
    return quote(url[:100], safe=":/?#@&=+,;%~") + ("..." if len(url) > 100 else "")
