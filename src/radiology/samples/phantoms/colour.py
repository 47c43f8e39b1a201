"""Phantoms that are stored in colour or count rays: sonograms, a photograph, a bone scan."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from radiology.samples.phantoms.canvas import (
    Bytes,
    Plane,
    Shape,
    Words,
    clouds,
    dome,
    ellipse,
    filled,
    glow,
    grid,
    noise,
    solid,
    to_bytes,
    tube,
)

Rng = np.random.Generator
SECTOR: Shape = (288, 384)
HEART: Shape = (192, 256)
APEX = -1.12
DEPTH = 2.05


@lru_cache(maxsize=4)
def _polar(shape: Shape) -> tuple[Plane, Plane, Plane]:
    """Depth (0 to 1), direction (-1 to 1) and the mask of a convex probe's fan."""
    y, x = grid(shape)
    depth = np.sqrt(x * x + (y - APEX) ** 2) / DEPTH
    direction = np.arctan2(x, y - APEX) / 0.72
    mask = (
        np.clip((1 - depth) * 80, 0, 1)
        * np.clip((depth - 0.11) * 80, 0, 1)
        * np.clip((1 - np.abs(direction)) * 60, 0, 1)
    )
    return depth.astype(np.float32), direction.astype(np.float32), mask.astype(np.float32)


def _speckle(rng: Rng, shape: Shape) -> Plane:
    """Speckle is laid along the beams, so it widens with depth as a real one does."""
    depth, direction, _ = _polar(shape)
    beams, samples = 110, 200
    waves = rng.standard_normal((2, samples + 1, beams + 1), dtype=np.float32)
    waves = waves + 0.6 * (np.roll(waves, 1, 1) + np.roll(waves, 1, 2))
    grains = np.hypot(waves[0], waves[1])
    row = np.clip(depth * samples, 0, samples - 1)
    column = np.clip((direction + 1) * beams / 2, 0, beams - 1)
    i, j = row.astype(np.int32), column.astype(np.int32)
    v, u = row - i, column - j
    upper = grains[i, j] * (1 - u) + grains[i, j + 1] * u
    return ((upper * (1 - v) + (grains[i + 1, j] * (1 - u) + grains[i + 1, j + 1] * u) * v) / 2.0).astype(np.float32)


def _sonogram(rng: Rng, echo: Plane) -> Plane:
    shape = (echo.shape[0], echo.shape[1])
    depth, _, mask = _polar(shape)
    bright = echo * (0.35 + 0.75 * _speckle(rng, shape)) * (1.12 - 0.45 * depth)
    image = mask * np.clip(np.log1p(6 * np.clip(bright, 0, None)) / np.log(7.0), 0, 1)
    return (image + _scale(shape)).astype(np.float32)


@lru_cache(maxsize=4)
def _scale(shape: Shape) -> Plane:
    """The grey bar and the depth ticks at the sides of the picture."""
    y, x = grid(shape)
    half = shape[1] / shape[0]
    bar = np.where((np.abs(x + half - 0.08) < 0.025) & (np.abs(y) < 0.5), (0.5 - y), 0)
    ticks = np.where((np.abs((y + 1) * 5 % 1 - 0.5) < 0.03) & (np.abs(x - half + 0.06) < 0.03), 0.7, 0)
    return (bar + ticks).astype(np.float32)


def _rgb(image: Plane) -> Bytes:
    return np.repeat(to_bytes(image)[:, :, None], 3, axis=2)


def sonogram(rng: Rng, organ: str) -> Bytes:
    """One RGB sonogram: `liver`, `kidney`, `breast` or `doppler` (a kidney with colour flow)."""
    drawn = {"liver": _liver, "kidney": _kidney, "doppler": _kidney, "breast": _cyst}[organ]
    picture = _rgb(_sonogram(rng, drawn(rng)))
    return _flow(rng, picture) if organ == "doppler" else picture


def _liver(rng: Rng) -> Plane:
    echo = 0.24 + 0.04 * clouds(rng, SECTOR, 6)
    arc = ellipse(SECTOR, (0.1, -0.5), (1.15, 1.3))
    echo += 0.9 * np.exp(-(((arc - 1) / 0.035) ** 2)) - 0.12 * np.clip((arc - 1) * 6, 0, 1)
    for points, radii in (
        ([(-0.5, 0.1), (-0.1, 0.3), (0.3, 0.2)], [0.06, 0.05, 0.03]),
        ([(0.25, -0.3), (0.6, 0.1)], [0.03, 0.05]),
    ):
        profile = tube(SECTOR, points, [radius * 1.4 for radius in radii])
        echo += 0.4 * np.sqrt(profile) * (profile < 0.5) - 0.24 * filled(profile, 0.5) * (profile >= 0.3)
    bladder = ellipse(SECTOR, (0.0, -0.28), (0.3, 0.13), 0.35)
    _, direction, _ = _polar(SECTOR)
    behind = np.exp(-((direction - 0.02) ** 2) / 0.05) * solid(-(grid(SECTOR)[0] - 0.15) + 1, 0.1)
    echo += 0.25 * behind * (grid(SECTOR)[0] > -0.2) + 0.5 * np.exp(-(((bladder - 1.1) / 0.12) ** 2))
    echo *= 1 - 0.97 * solid(bladder, 0.1)
    stone = ellipse(SECTOR, (0.13, -0.2), (0.06, 0.04), 0.3)
    shadow = (np.abs(direction - 0.17) < 0.055) & (grid(SECTOR)[0] > -0.2)
    return (np.where(shadow, echo * 0.18, echo) + 1.3 * solid(stone, 0.3)).astype(np.float32)


def _kidney(rng: Rng) -> Plane:
    echo = 0.26 + 0.05 * clouds(rng, SECTOR, 7)
    rim = ellipse(SECTOR, (0.02, 0.05), (0.66, 0.34), -0.12)
    echo += 0.5 * np.exp(-(((rim - 1.06) / 0.08) ** 2)) - 0.12 * solid(rim, 0.05)
    for k in range(7):
        angle = 2 * np.pi * k / 7
        at = (0.02 + 0.42 * float(np.cos(angle)), 0.05 + 0.2 * float(np.sin(angle)))
        echo -= 0.08 * glow(ellipse(SECTOR, at, (0.1, 0.07)))
    return (
        echo
        + 0.65 * glow(1.4 * ellipse(SECTOR, (0.02, 0.05), (0.42, 0.15), -0.12)) * (1 + 0.3 * clouds(rng, SECTOR, 20))
    ).astype(np.float32)


def _cyst(rng: Rng) -> Plane:
    y, _ = grid(SECTOR)
    layers = 0.26 + 0.2 * np.exp(-(((y + 0.72) / 0.05) ** 2)) + 0.12 * np.sin(y * 16 + 1.5 * clouds(rng, SECTOR, 6))
    cyst = ellipse(SECTOR, (0.06, -0.12), (0.27, 0.2))
    echo = layers + 0.35 * np.exp(-(((cyst - 1.1) / 0.1) ** 2)) + 0.22 * glow(ellipse(SECTOR, (0.08, 0.4), (0.28, 0.4)))
    return (echo * (1 - 0.98 * solid(cyst, 0.08))).astype(np.float32)


def _flow(rng: Rng, picture: Bytes) -> Bytes:
    """Red towards the probe, blue away from it, over the middle of the picture."""
    mottle = 0.8 + 0.3 * clouds(rng, SECTOR, 40)
    for points, colour in (
        ([(0.02, 0.5), (0.0, 0.2), (-0.25, 0.02), (-0.42, -0.06)], (235, 60, 20)),
        ([(0.06, 0.24), (0.28, 0.02), (0.44, -0.02)], (240, 110, 20)),
        ([(0.12, 0.52), (0.1, 0.22), (0.34, 0.12)], (30, 70, 235)),
    ):
        mask = (filled(tube(SECTOR, points, [0.05, 0.045, 0.03, 0.02]), 0.6) * np.clip(mottle, 0, 1))[:, :, None]
        picture = (picture * (1 - mask) + np.array(colour, dtype=np.float32) * mask).astype(np.uint8)
    return picture


def heartbeat(rng: Rng, frames: int = 10) -> Iterator[Bytes]:
    """The frames of one beat in the four-chamber view, RGB."""
    tissue = 0.3 + 0.05 * clouds(rng, HEART, 6)
    for frame in range(frames):
        squeeze = 1 - 0.2 * float(np.sin(np.pi * frame / frames) ** 2)
        echo = tissue + 0.4 * np.exp(-(((ellipse(HEART, (0, 0.0), (0.72, 0.86)) - 1) / 0.06) ** 2))
        for at, radii, part in (
            ((0.24, -0.18), (0.19, 0.4), squeeze),
            ((-0.24, -0.14), (0.17, 0.34), squeeze),
            ((0.25, 0.5), (0.22, 0.22), 1.9 - squeeze),
            ((-0.25, 0.5), (0.21, 0.21), 1.9 - squeeze),
        ):
            echo *= 1 - 0.93 * solid(ellipse(HEART, at, (radii[0] * min(part, 1.05), radii[1] * min(part, 1.05))), 0.12)
        swing = 0.14 * (1 - squeeze) / 0.2
        for side in (-1, 1):
            leaf = [(side * 0.05, 0.24), (side * 0.22, 0.2 - swing if side > 0 else 0.2 - swing * 0.8)]
            hinge = [(side * 0.42, 0.24), (side * 0.27, 0.2 - swing)]
            for points in (leaf, hinge):
                echo += 0.7 * filled(tube(HEART, points, [0.022, 0.014]), 0.5)
        yield _rgb(_sonogram(rng, echo.astype(np.float32)))


def photograph(rng: Rng, shape: Shape = (300, 400)) -> Bytes:
    """A photograph of a small sore on a heel beside a paper ruler, RGB."""
    y, x = grid(shape)
    cloth = (
        np.array((96, 140, 160), dtype=np.float32)
        * (1 + 0.05 * np.sin((x + y) * 90) + 0.05 * clouds(rng, shape, 8))[:, :, None]
    )
    foot = tube(shape, [(-1.6, 0.1), (-0.5, 0.05), (0.35, 0.0), (0.75, 0.15)], [0.5, 0.52, 0.5, 0.4])
    skin = (
        np.array((186, 134, 104), dtype=np.float32)
        * (0.55 + 0.5 * np.sqrt(foot) + 0.03 * clouds(rng, shape, 50))[:, :, None]
    )
    picture = cloth + filled(foot, 0.06)[:, :, None] * (skin - cloth)
    for radii, colour in (((0.25, 0.21), (176, 92, 80)), ((0.17, 0.14), (132, 40, 40)), ((0.09, 0.07), (176, 132, 74))):
        sore = solid(ellipse(shape, (0.2, 0.02), radii, 0.3) * (1 + 0.2 * clouds(rng, shape, 16)), 0.2)[:, :, None]
        picture = picture + sore * (np.array(colour, dtype=np.float32) - picture)
    paper = ((y > 0.66) & (y < 0.86) & (np.abs(x) < 0.9))[:, :, None]
    lines = (
        (np.abs(x * 12 % 1 - 0.5) < 0.05) & (y > 0.66) & (y < 0.66 + np.where(np.floor(x * 12) % 5 == 0, 0.14, 0.08))
    )[:, :, None]
    picture = np.where(lines & paper, 30, np.where(paper, 236, picture)) + 2.5 * noise(rng, shape)[:, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def bone_scan(rng: Rng, *, back: bool, shape: Shape = (512, 192)) -> Words:
    """Counts of a whole-body bone scan from the front or the back, with two hot spots."""
    body = tube(shape, [(0, -0.88), (0, -0.5), (0, 0.1)], [0.1, 0.2, 0.17])
    rate = 2.0 * dome(1 - body) + 9 * dome(ellipse(shape, (0, -0.86), (0.085, 0.1)))
    rate += (13 if back else 7) * np.sqrt(tube(shape, [(0, -0.76), (0, -0.02)], [0.024, 0.03]))
    for side in (-1, 1):
        for k in range(9):
            top = -0.66 + 0.045 * k
            reach = 0.1 + 0.055 * min(1.0, k / 4)
            rate += 3.5 * np.sqrt(
                tube(shape, [(0, top), (side * reach, top + 0.02), (side * reach * 0.8, top + 0.08)], [0.012] * 3)
            )
        rate += 8 * np.sqrt(
            tube(shape, [(side * 0.03, -0.02), (side * 0.12, -0.05), (side * 0.09, 0.06)], [0.03, 0.04, 0.03])
        )
        arm = [(side * 0.2, -0.66), (side * 0.27, -0.3), (side * 0.3, 0.0), (side * 0.31, 0.1)]
        leg = [(side * 0.11, 0.06), (side * 0.1, 0.45), (side * 0.09, 0.86), (side * 0.1, 0.94)]
        rate += 2.5 * np.sqrt(tube(shape, arm, [0.04, 0.03, 0.025, 0.03])) + 1.2 * np.sqrt(
            tube(shape, leg, [0.09, 0.07, 0.05, 0.04])
        )
        rate += 4 * np.sqrt(tube(shape, leg, [0.03, 0.025, 0.02, 0.02])) + 6 * glow(
            ellipse(shape, leg[1], (0.045, 0.03))
        )
        rate += (9 if back else 1) * glow(ellipse(shape, (side * 0.085, -0.27), (0.04, 0.06)))
    rate += (3 if back else 18) * glow(ellipse(shape, (0, 0.08), (0.045, 0.035)))
    rate += 26 * glow(ellipse(shape, (-0.12, -0.42), (0.02, 0.018))) + 20 * glow(
        ellipse(shape, (0.01, -0.2), (0.025, 0.02))
    )
    mirrored = np.clip(rate, 0, None)[:, ::-1] if back else np.clip(rate, 0, None)
    return rng.poisson(4 * mirrored + 0.15).astype(np.uint16)
