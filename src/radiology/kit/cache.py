"""What was made once and may be given again: bytes by key, up to a limit, the one not asked for longest goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock


class ByteCache:
    """A bounded cache of one process. Whether the one who asks may have it is decided before it is looked at."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """What is kept under a key."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def put(self, key: Hashable, data: bytes) -> None:
        """Keep it. What is larger than an eighth of the limit is not kept: it would drive out too much."""
        if len(data) > self.limit_bytes // 8:
            return
        with self._lock:
            self.size_bytes += len(data) - len(self._kept.pop(key, b""))
            self._kept[key] = data
            while self.size_bytes > self.limit_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.size_bytes -= len(oldest)
