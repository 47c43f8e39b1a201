"""PINs, limits and networks of links. Pure, but for chance."""

import ipaddress
import secrets
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

PIN_DIGITS: Final = 6
#: After so many wrong PINs a link is closed for a while, and after so many in all for good.
WRONG_PINS_AT_ONCE: Final = 5
CLOSED_MINUTES: Final = 15
MOST_WRONG_PINS: Final = 20

_hasher = PasswordHasher(time_cost=2, memory_cost=32_768, parallelism=1)


class Refused(StrEnum):
    """Why a link does not open."""

    ENDED = "ended"
    EXPIRED = "expired"
    USED_UP = "used-up"
    GUESSED = "guessed"
    CLOSED = "closed"
    WRONG_PIN = "wrong-pin"
    SENSITIVE = "sensitive"
    NOT_SHOWN = "not-shown"


def new_pin() -> str:
    """Six digits by chance."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"


def hash_of(pin: str) -> str:
    """What is kept of a PIN (argon2id). Takes about 50 ms."""
    return _hasher.hash(pin)


def fits(pin_hash: str, pin: str) -> bool:
    """Whether this is the PIN. Takes about 50 ms."""
    try:
        return _hasher.verify(pin_hash, pin)
    except (Argon2Error, InvalidHashError):
        return False


def network_of(address: str) -> str:
    """The network of an address: enough to see that it was somewhere else, too little to find somebody by."""
    try:
        bits = 24 if ipaddress.ip_address(address).version == 4 else 48
        return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
    except ValueError:
        return ""
