"""What all phantoms are drawn with: ellipses, tubes, noise and the step to stored values.

A plane spans -1 (top) to 1 (bottom) in y; x has the same unit, so a square plane spans -1 to 1 in x too.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
"""Brightness, or Hounsfield units. float32 in memory; numpy's own signatures lose that, so the type does not insist."""
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]
Shape = tuple[int, int]
Point = tuple[float, float]


@lru_cache(maxsize=16)
def grid(shape: Shape) -> tuple[Plane, Plane]:
    """The y (one column) and x (one row) of every pixel of a plane of (rows, columns)."""
    rows, columns = shape
    y = (np.arange(rows, dtype=np.float32) * 2 + 1) / rows - 1
    x = ((np.arange(columns, dtype=np.float32) * 2 + 1) - columns) / rows
    return y[:, None].astype(np.float32), x[None, :].astype(np.float32)


def ellipse(shape: Shape, centre: Point, radii: Point, turn: float = 0.0) -> Plane:
    """The squared distance from `centre` (x, y) in units of the radii: 1 on the edge. `turn` is in radians."""
    y, x = grid(shape)
    dx, dy = x - centre[0], y - centre[1]
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    along = (dx * cos + dy * sin) / radii[0]
    across = (dy * cos - dx * sin) / radii[1]
    return (along * along + across * across).astype(np.float32)


def solid(distance: Plane, edge: float = 0.06) -> Plane:
    """1 inside an ellipse and 0 outside, over a soft edge."""
    return np.clip((1 - distance) / (2 * edge) + 0.5, 0, 1).astype(np.float32)


def dome(distance: Plane) -> Plane:
    """The thickness of a ball seen through: what an X-ray shows of a round thing."""
    return np.sqrt(np.clip(1 - distance, 0, 1)).astype(np.float32)


def glow(distance: Plane) -> Plane:
    """A blob without an edge."""
    return np.exp(-1.5 * distance).astype(np.float32)


def tube(shape: Shape, points: Sequence[Point], radii: Sequence[float]) -> Plane:
    """A tapering tube through `points`: 1 on its axis, falling with the squared distance to 0 at its wall."""
    plane = np.zeros(shape, dtype=np.float32)
    for start, end, first, last in zip(points, points[1:], radii, radii[1:], strict=False):
        _segment(plane, start, end, first, last)
    return plane


def _segment(plane: Plane, start: Point, end: Point, first: float, last: float) -> None:
    """Only the box around the segment is computed: a chest has two hundred of them."""
    rows, columns = plane.shape
    reach, half = max(first, last), columns / rows
    left, right = min(start[0], end[0]) - reach + half, max(start[0], end[0]) + reach + half
    top, bottom = min(start[1], end[1]) - reach + 1, max(start[1], end[1]) + reach + 1
    box = (
        slice(max(0, int(top * rows / 2)), max(0, int(bottom * rows / 2) + 1)),
        slice(max(0, int(left * rows / 2)), max(0, int(right * rows / 2) + 1)),
    )
    y, x = grid((rows, columns))
    y, x = y[box[0]], x[:, box[1]]
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy or 1e-6
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / length, 0, 1)
    away = (x - start[0] - along * dx) ** 2 + (y - start[1] - along * dy) ** 2
    radius = first + (last - first) * along
    np.maximum(plane[box], 1 - away / (radius * radius), out=plane[box])


def bone(profile: Plane, marrow: float = 0.7) -> Plane:
    """A tube as a hollow bone seen through: bright cortex at both walls, paler marrow between. 0 to about 0.7."""
    inner = np.clip((profile - 0.42) / 0.58, 0, 1)
    return (np.sqrt(profile) - marrow * np.sqrt(inner)).astype(np.float32)


def filled(profile: Plane, edge: float = 0.12) -> Plane:
    """A tube as a flat shape: 1 inside, over a soft wall."""
    return np.clip(profile / edge, 0, 1).astype(np.float32)


def noise(rng: np.random.Generator, shape: Shape) -> Plane:
    """Grain: independent normal values, mean 0, deviation 1."""
    return rng.standard_normal(shape, dtype=np.float32)


def clouds(rng: np.random.Generator, shape: Shape, cells: int) -> Plane:
    """Smooth unevenness: about `cells` bumps from top to bottom, deviation about 0.6."""
    rows, columns = shape
    coarse = noise(rng, (cells + 2, cells * columns // rows + 2))
    down = np.linspace(0, coarse.shape[0] - 1.001, rows, dtype=np.float32)
    across = np.linspace(0, coarse.shape[1] - 1.001, columns, dtype=np.float32)
    i, j = down.astype(int), across.astype(int)
    v, u = (down - i)[:, None], (across - j)[None, :]
    v, u = v * v * (3 - 2 * v), u * u * (3 - 2 * u)
    upper, lower = coarse[i], coarse[i + 1]
    return (
        (upper[:, j] * (1 - u) + upper[:, j + 1] * u) * (1 - v) + (lower[:, j] * (1 - u) + lower[:, j + 1] * u) * v
    ).astype(np.float32)


def to_words(plane: Plane, bits: int = 12) -> Words:
    """Brightness 0 to 1 as stored values of `bits` bits."""
    return (np.clip(plane, 0, 1) * ((1 << bits) - 1) + 0.5).astype(np.uint16)


def to_bytes(plane: Plane) -> Bytes:
    """Brightness 0 to 1 as stored values of 8 bits."""
    return (np.clip(plane, 0, 1) * 255 + 0.5).astype(np.uint8)


LETTERS: dict[str, tuple[tuple[Point, ...], ...]] = {
    "L": (((0, 0), (0, 1), (0.6, 1)),),
    "R": (((0, 1), (0, 0), (0.5, 0), (0.6, 0.25), (0.5, 0.5), (0, 0.5)), ((0.3, 0.5), (0.65, 1))),
}


def marker(shape: Shape, letter: str, at: Point, size: float = 0.12) -> Plane:
    """The lead letter beside a radiograph that tells the side."""
    plane = np.zeros(shape, dtype=np.float32)
    for stroke in LETTERS[letter]:
        points = [(at[0] + px * size, at[1] + py * size) for px, py in stroke]
        np.maximum(plane, filled(tube(shape, points, [size * 0.09] * len(points)), 0.4), out=plane)
    return plane
