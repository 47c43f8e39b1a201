"""Whether an address is among hosts, which are addresses, networks (CIDR) and names. Names are looked up."""

import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache

from radiology.application_entities.model import ApplicationEntity
from radiology.kit.clock import monotonic_seconds

NAMES_KEPT_SECONDS = 60

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def calls_from(entity: ApplicationEntity, address: str) -> bool:
    """Whether the entity may call from this address. Names are looked up, which may take a moment."""
    return not entity.calling_hosts or is_among(entity.calling_hosts, address)


def is_among(hosts: Iterable[str], address: str) -> bool:
    """Whether an address is one of these hosts or lies in one of these networks."""
    ours = _address(address)
    names: list[str] = []
    for host in hosts:
        try:
            if ours in ipaddress.ip_network(host, strict=False):
                return True
        except ValueError:
            names.append(host)
    return any(ours in _addresses(name, int(monotonic_seconds()) // NAMES_KEPT_SECONDS) for name in names)


def _address(text: str) -> IPAddress:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1024)
def _addresses(name: str, _minute: int) -> frozenset[IPAddress]:
    """The addresses of a name, looked up once a minute; none where it cannot be looked up."""
    try:
        return frozenset(_address(str(found[4][0])) for found in socket.getaddrinfo(name, None))
    except OSError:
        return frozenset()
