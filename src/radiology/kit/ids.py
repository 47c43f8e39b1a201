"""Identifiers that sort by time (RFC 9562 section 5.7), so that rows and files born together lie together."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A UUID version 7: 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)


def uuid_of(text: str) -> UUID | None:
    """The UUID that a text is, None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
