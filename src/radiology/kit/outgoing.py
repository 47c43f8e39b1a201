"""Where this service lets itself be sent: an address that somebody typed must not lead into the machine's own affairs.

Addresses of the hospital's network and of this machine are meant and allowed. Link-local ones are not: there the
clouds keep the keys of a machine (169.254.169.254), and no archive or identity provider lives there.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from radiology.errors import Unprocessable


def must_be_callable(url: str) -> None:
    """Look up the host of an address before it is called. Raises Unprocessable for one that may not be called.

    Blocks while the name is looked up. A name that cannot be found is left to the call, which says so.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unprocessable(f"{url[:200]} is no address that can be called: it begins with http:// or https://.")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 0, type=socket.SOCK_STREAM)
    except OSError:
        return
    for *_, address in found:
        if _is_refused(ip_address(str(address[0]).partition("%")[0])):
            raise Unprocessable(f"{parts.hostname} is at {address[0]}, an address that this service does not call.")


def _is_refused(address: IPv4Address | IPv6Address) -> bool:
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    checked = inner or address
    return checked.is_link_local or checked.is_multicast or checked.is_unspecified
