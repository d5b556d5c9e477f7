"""Who asks: the network address behind the proxies that the operator trusts."""

from __future__ import annotations

import ipaddress
from functools import cache

from starlette.requests import Request

from catalog.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@cache
def trusted(setting: str) -> tuple[Network, ...]:
    """The networks of TRUSTED_PROXIES; raises SettingsError."""
    try:
        return tuple(ipaddress.ip_network(one) for one in setting.replace(",", " ").split())
    except ValueError:
        raise SettingsError("SKILLFEED_TRUSTED_PROXIES: must be addresses or networks such as 10.0.0.0/8") from None


def client_of(request: Request, proxies: tuple[Network, ...]) -> str:
    """The address that asked: of X-Forwarded-For the last one that no trusted proxy has, read only from trusted ones."""
    at = request.client.host if request.client else ""
    hops = [hop.strip() for value in request.headers.getlist("x-forwarded-for") for hop in value.split(",")]
    while hops and _is_in(at, proxies):
        at = hops.pop()
    return at


def _is_in(at: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(at)
    except ValueError:
        return False
    return any(address in network for network in networks)
