"""URLs, IP addresses and CIDRs, as Kubernetes' libraries for CEL have them.

A part of `functions.py`. Addresses are strict here, unlike in schema formats: no leading zeros, no zones, no IPv4 in IPv6.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from twinloop.apiserver import gofmt
from twinloop.apiserver.schemas import formats
from twinloop.apiserver.schemas.cel.values import CelError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts."""

    parts: SplitResult


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address and a prefix length; the address may have bits beyond it."""

    address: Address
    length: int

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """All addresses with the prefix."""
        return ipaddress.ip_network((self.address, self.length), strict=False)


def _url(text: str) -> Url:
    if not formats.is_uri(text):
        raise CelError(
            f"URL parse error during conversion from string: parse {gofmt.quote(text)}: invalid URI for request"
        )
    return Url(urlsplit(text))


def _host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


def _port(url: Url) -> str:
    host = _host(url)
    return host.rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""


def _hostname(url: Url) -> str:
    host = _host(url)
    return (host.rpartition(":")[0] if _port(url) else host).strip("[]")


def _ip(value: Any) -> Address:
    if isinstance(value, Cidr):
        return value.address
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        shown = gofmt.quote(value)
        raise CelError(
            f"IP Address {shown} parse error during conversion from string: ParseAddr({shown}): unable to parse IP"
        ) from None
    if "%" in value or getattr(found, "ipv4_mapped", None):
        raise CelError(f"IPv4-mapped or zoned address {gofmt.quote(value)} is not allowed")
    return found


def _cidr(text: str) -> Cidr:
    address, slash, length = text.partition("/")
    if not slash:
        raise _no_cidr(text, "no '/'")
    try:
        found = _ip(address)
    except CelError:
        raise _no_cidr(text, f"ParseAddr({gofmt.quote(address)}): unable to parse IP") from None
    if not length.isdigit() or str(int(length)) != length:
        raise _no_cidr(text, f"bad bits after slash: {gofmt.quote(length)}")
    if int(length) > found.max_prefixlen:
        raise _no_cidr(text, "prefix length out of range")
    return Cidr(found, int(length))


def _no_cidr(text: str, why: str) -> CelError:
    what = "network address parse error during conversion from string: "
    return CelError(f"{what}{what}netip.ParsePrefix({gofmt.quote(text)}): {why}")


def _is(make: Callable[[str], Any]) -> Callable[[str], bool]:
    def run(text: str) -> bool:
        try:
            make(text)
        except CelError:
            return False
        return True

    return run


def _contains_ip(cidr: Cidr, address: Any) -> bool:
    return (_ip(address) if isinstance(address, str) else address) in cidr.network


def _contains_cidr(cidr: Cidr, other: Any) -> bool:
    inner = _cidr(other) if isinstance(other, str) else other
    return inner.length >= cidr.length and inner.address in cidr.network


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "url": _url,
    "isURL": _is(_url),
    "getScheme": lambda url: url.parts.scheme,
    "getHost": _host,
    "getHostname": _hostname,
    "getPort": _port,
    "getEscapedPath": lambda url: url.parts.path,
    "getQuery": lambda url: parse_qs(url.parts.query, keep_blank_values=True),
    "ip": _ip,
    "isIP": _is(_ip),
    "ip.isCanonical": lambda text: str(_ip(text)) == text,
    "family": lambda address: address.version,
    "isUnspecified": lambda address: address.is_unspecified,
    "isLoopback": lambda address: address.is_loopback,
    "isLinkLocalMulticast": lambda address: (
        address in ipaddress.ip_network("224.0.0.0/24" if address.version == 4 else "ff02::/16")
    ),
    "isLinkLocalUnicast": lambda address: address.is_link_local,
    "isGlobalUnicast": lambda address: (
        not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)
    ),
    "cidr": _cidr,
    "isCIDR": _is(_cidr),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "prefixLength": lambda cidr: cidr.length,
    "masked": lambda cidr: Cidr(cidr.network.network_address, cidr.length),
}
