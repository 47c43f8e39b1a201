"""When the disk is full to its reserve, if it goes on as it went. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

LOOK_BACK_DAYS: Final = 30
FEWEST_SAMPLES: Final = 3
RECOMPRESSION_FREES: Final = 0.5
"""How much of uncompressed images lossless compression saves, about."""


@dataclass(frozen=True, slots=True)
class Day:
    """One sample of the disk, and of what would be freed."""

    day: date
    free_bytes: int
    total_bytes: int
    uncompressed_bytes: int
    due_bytes: int

    @property
    def used_bytes(self) -> int:
        """By whatever lies on the disk."""
        return self.total_bytes - self.free_bytes


@dataclass(frozen=True, slots=True)
class Part:
    """How much a facility has of a modality on a day."""

    day: date
    facility_code: str
    modality: str
    studies: int
    size_bytes: int


def slope(samples: Sequence[tuple[date, int]]) -> float | None:
    """Bytes a day by least squares; None where there are too few days to say."""
    if len(samples) < FEWEST_SAMPLES:
        return None
    first = samples[0][0]
    points = [((day - first).days, size) for day, size in samples]
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else None


def growth(days: Sequence[Day], parts: Sequence[Part]) -> float | None:
    """Bytes a day: by what fills the disk, or by what is stored, whichever is more. None where nothing is known.

    A disk that was tidied up once does not hide how fast it fills, and neither does something else that fills it.
    """
    by_disk = slope([(each.day, each.used_bytes) for each in days])
    by_images = slope(_sums(parts))
    known = [each for each in (by_disk, by_images) if each is not None]
    return max(known) if known else None


def days_left(days: Sequence[Day], parts: Sequence[Part], *, reserve_bytes: int) -> int | None:
    """Days until only the reserve is free; None where it does not fill, or too little is known."""
    rate = growth(days, parts)
    if rate is None or rate < 1:
        return None
    return max(0, int((days[-1].free_bytes - reserve_bytes) / rate))


def as_json(days: Sequence[Day], parts: Sequence[Part], *, reserve_bytes: int) -> dict[str, Any]:
    """The forecast as it is told."""
    newest = days[-1]
    rate = growth(days, parts)
    by_facility = _grouped(parts, lambda part: part.facility_code)
    return {
        "day": newest.day,
        "freeBytes": newest.free_bytes,
        "totalBytes": newest.total_bytes,
        "reserveBytes": reserve_bytes,
        "bytesPerDay": None if rate is None else round(rate),
        "daysUntilReserve": days_left(days, parts, reserve_bytes=reserve_bytes),
        "facilities": {
            code: {
                "bytesPerDay": _rounded(slope(_sums(of_facility))),
                "modalities": {
                    modality: {
                        "studies": of_modality[-1].studies,
                        "sizeBytes": of_modality[-1].size_bytes,
                        "bytesPerDay": _rounded(slope(_sums(of_modality))),
                    }
                    for modality, of_modality in _grouped(of_facility, lambda part: part.modality).items()
                },
            }
            for code, of_facility in by_facility.items()
        },
        "wouldFree": {
            "recompressionBytes": int(newest.uncompressed_bytes * RECOMPRESSION_FREES),
            "retentionBytes": newest.due_bytes,
        },
    }


def _sums(parts: Sequence[Part]) -> list[tuple[date, int]]:
    sums: dict[date, int] = {}
    for part in parts:
        sums[part.day] = sums.get(part.day, 0) + part.size_bytes
    return sorted(sums.items())


def _grouped(parts: Sequence[Part], name_of: Callable[[Part], str]) -> Mapping[str, list[Part]]:
    groups: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: part.day):
        groups.setdefault(name_of(part), []).append(part)
    return dict(sorted(groups.items()))


def _rounded(rate: float | None) -> int | None:
    return None if rate is None else round(rate)
