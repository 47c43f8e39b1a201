"""Places: how many associations there may be at once, counted in one process or over all that serve a port."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

EVERYBODY: Final = "all calling AE titles"
"""The name under which all requestors are counted together; no AE title is as long."""


class Place(Protocol):
    """One association's place, held until it is given back."""

    def give_back(self) -> None:
        """Let another association have it."""
        ...


Places = Callable[[str, int], Place | None]
"""One of so many places of a name, or None when all are taken. Raises OSError where that cannot be known."""


class PlacesHere:
    """Places that are counted in this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def __call__(self, name: str, count: int) -> Place | None:
        """See `Places`."""
        with self._lock:
            if self._taken[name] >= count:
                return None
            self._taken[name] += 1
        return _PlaceHere(self, name)

    def leave(self, name: str) -> None:
        """A place of this name is free again."""
        with self._lock:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]


class _PlaceHere:
    def __init__(self, places: PlacesHere, name: str) -> None:
        self._places = places
        self._name = name

    def give_back(self) -> None:
        self._places.leave(self._name)
