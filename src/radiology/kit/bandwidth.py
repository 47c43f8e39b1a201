"""A limit of bandwidth, held on average by pausing."""

import threading
from typing import Final

BURST_SECONDS: Final = 1.0
"""What was not used may be made up for, as far as this."""


class Bandwidth:
    """A bucket of tokens that threads may share: how long to pause after so many bytes; without a limit, not at all."""

    def __init__(self, kib_per_second: int | None, *, now: float) -> None:
        self._bytes_per_second = kib_per_second * 1024 if kib_per_second else None
        self._free_at = now
        self._lock = threading.Lock()

    def pause_seconds(self, size_bytes: int, *, now: float) -> float:
        """Seconds to wait after so many bytes went through."""
        if self._bytes_per_second is None:
            return 0.0
        with self._lock:
            self._free_at = max(self._free_at, now - BURST_SECONDS) + size_bytes / self._bytes_per_second
            return max(0.0, self._free_at - now)
