"""Phantoms seen through: chest, limbs, breast, angiogram, bone scan. Brightness 0 to 1, dense is bright."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from radiology.samples.phantoms.canvas import (
    Bytes,
    Plane,
    Point,
    Shape,
    bone,
    clouds,
    dome,
    ellipse,
    filled,
    glow,
    grid,
    marker,
    noise,
    solid,
    to_bytes,
    tube,
)

Rng = np.random.Generator


@dataclass(frozen=True)
class Chest:
    """What differs between one chest and another. Sizes are relative to an adult's."""

    heart: float = 1.0
    opacity: float = 0.0  # consolidation of the right lower zone, 0 to 1
    opacity_at: Point = (-0.42, 0.22)
    newborn: bool = False


def chest(rng: Rng, look: Chest, shape: Shape = (480, 480)) -> Plane:
    """A frontal chest: the heart lies on the right of the image, as the reader looks at the patient."""
    y, _ = grid(shape)
    thick = 0.62 * _torso(shape)
    lungs = _lungs(shape, look)
    middle = _mediastinum(shape, look)
    air = lungs * (1 - np.clip(1.15 * middle, 0, 1))
    image = thick - 0.5 * air + 0.1 * middle
    image += 0.17 * _vessels(rng, shape) * air + 0.16 * _cage(shape, look) + 0.16 * _spine(shape)
    image -= 0.12 * filled(tube(shape, [(0, -1.1), (0, -0.4), (0.01, -0.24)], [0.055, 0.05, 0.05]), 0.6)
    image -= 0.2 * solid(ellipse(shape, (0.36, 0.76), (0.13, 0.09), -0.2), 0.3)
    haze = glow(ellipse(shape, look.opacity_at, (0.26, 0.22), 0.3)) * lungs
    image += 0.42 * look.opacity * haze * (1 + 0.3 * clouds(rng, shape, 28))
    image += 0.012 * clouds(rng, shape, 10) + 0.011 * noise(rng, shape) + 0.03 * (y + 1)
    return (image * 1.05 + 0.9 * marker(shape, "L", (0.86, -0.93), 0.1)).astype(np.float32)


def _torso(shape: Shape) -> Plane:
    y, x = grid(shape)
    trunk = np.sqrt(np.clip(1 - np.abs(x / (0.94 + 0.03 * y)) ** 3.2, 0, 1)) * np.clip((y + 0.66) * 6, 0, 1)
    slope = tube(
        shape, [(-1.2, -0.3), (-0.62, -0.5), (0, -0.78), (0.62, -0.5), (1.2, -0.3)], [0.3, 0.26, 0.22, 0.26, 0.3]
    )
    neck = tube(shape, [(0, -1.2), (0, -0.6)], [0.27, 0.3])
    return np.maximum(np.maximum(trunk, np.sqrt(slope)), np.sqrt(neck)).astype(np.float32)


def _lungs(shape: Shape, look: Chest) -> Plane:
    y, x = grid(shape)
    lift = -0.16 if look.newborn else 0.0
    total = np.zeros(shape, dtype=np.float32)
    for side, floor in ((-1, 0.50 + lift), (1, 0.57 + lift)):
        field = np.abs((x - side * 0.43) / (0.37 + 0.05 * y)) ** 2.4 + np.abs((y - 0.02) / 0.74) ** 2.6
        diaphragm = floor - 0.09 + 0.9 * (np.abs(x - side * 0.36) ** 2)
        total += np.sqrt(np.clip(1.3 * (1 - field), 0, 1)) * np.clip((diaphragm - y) * 28 + 0.5, 0, 1)
    return np.clip(total, 0, 1).astype(np.float32)


def _mediastinum(shape: Shape, look: Chest) -> Plane:
    size = look.heart * (1.12 if look.newborn else 1.0)
    heart = dome(0.9 * ellipse(shape, (0.13, 0.3), (0.37 * size, 0.255 * size), 0.5))
    right = dome(ellipse(shape, (-0.06, 0.28), (0.17 * size, 0.24)))
    knob = dome(ellipse(shape, (0.11, -0.22), (0.1, 0.11)))
    wide = 0.2 if look.newborn else 0.12
    band = dome(tube(shape, [(0, -0.8), (0.02, 0.9)], [wide, wide + 0.05]) * -1 + 1)
    return np.clip(np.maximum.reduce([heart, right, 0.9 * knob, 0.85 * band]) * 1.15, 0, 1).astype(np.float32)


def _spine(shape: Shape) -> Plane:
    y, _ = grid(shape)
    column = bone(tube(shape, [(0, -1.1), (0, 1.1)], [0.085, 0.11]), 0.45)
    return (column * (0.75 + 0.25 * np.sign(np.sin(y * 34)) * np.minimum(1, 3 * np.abs(np.sin(y * 34))))).astype(
        np.float32
    )


def _cage(shape: Shape, look: Chest) -> Plane:
    back, front = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    t = np.linspace(0, 1, 8)
    for side in (-1, 1):
        for i in range(10):
            top = -0.62 + 0.142 * i
            reach = 0.42 + 0.40 * min(1.0, 0.34 + i / 5)
            drop = 0.05 if look.newborn else 0.10 + 0.012 * i
            x, y = side * (0.07 + reach * np.sin(t * 1.5) * 0.92), top - 0.07 * np.sin(t * 2.6) + drop * 2 * t**2.2
            _rib(back, list(zip(x.tolist(), y.tolist(), strict=True)), 0.027)
            x, y = side * (0.07 + reach * 0.92 * np.cos(t * 0.95)), y[-1] + 0.42 * np.sin(t * 0.9) * (0.5 + 0.05 * i)
            _rib(front, list(zip(x.tolist(), y.tolist(), strict=True)), 0.03)
        clavicle = [(side * 0.07, -0.56), (side * 0.3, -0.62), (side * 0.5, -0.7), (side * 0.74, -0.72)]
        np.maximum(back, 1.25 * bone(tube(shape, clavicle, [0.045, 0.032, 0.03, 0.04]), 0.5), out=back)
    return (back + 0.55 * front).astype(np.float32)


def _rib(layer: Plane, points: list[Point], radius: float) -> None:
    shape = (layer.shape[0], layer.shape[1])
    np.maximum(layer, bone(tube(shape, points, [radius] * len(points)), 0.5), out=layer)


def _vessels(rng: Rng, shape: Shape) -> Plane:
    profile = np.zeros(shape, dtype=np.float32)
    for side in (-1, 1):
        for angle in np.linspace(-1.35, 1.35, 13):
            _branch(rng, profile, (side * 0.17, 0.02), float(angle), side, 0.03)
    return np.sqrt(profile).astype(np.float32)


def _branch(rng: Rng, profile: Plane, at: Point, angle: float, side: int, radius: float) -> None:
    shape = (profile.shape[0], profile.shape[1])
    points, turn = [at], angle
    for _ in range(6):
        x, y = points[-1]
        points.append((x + side * 0.085 * float(np.cos(turn)), y + 0.1 * float(np.sin(turn))))
        turn += float(rng.normal(0, 0.22))
    np.maximum(profile, tube(shape, points, np.linspace(radius, 0.005, 7).tolist()), out=profile)
    if radius > 0.02:
        _branch(rng, profile, points[2], angle + 0.5, side, 0.014)
        _branch(rng, profile, points[3], angle - 0.45, side, 0.012)


def hand(rng: Rng, *, oblique: bool, shape: Shape = (448, 352)) -> Plane:
    """A left hand, fingers up; the neck of the fifth metacarpal is bent, as after a punch."""
    squeeze = 0.8 if oblique else 1.0
    flesh, bones = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    fan = ((-0.30, -0.14, 0.82), (-0.13, -0.05, 1.0), (0.03, 0.0, 1.06), (0.19, 0.05, 0.98), (0.34, 0.13, 0.8))
    for i, (base, lean, size) in enumerate(fan):
        if i == 0:
            joints = [(-0.24, 0.42), (-0.42, 0.18), (-0.56, -0.06), (-0.63, -0.24)]
        else:
            ups = (0.4, 0.02, -0.26 * size, -0.5 * size, -0.68 * size)
            joints = [(base + lean * k * 0.45, up) for k, up in enumerate(ups)]
        joints = [(x * squeeze, y) for x, y in joints]
        for k, (start, end) in enumerate(pairwise(joints)):
            _phalanx(bones, start, end, 0.062 - 0.008 * k, bent=i == 4 and k == 0)
        np.maximum(flesh, tube(shape, joints, np.linspace(0.17, 0.085, len(joints)).tolist()), out=flesh)
    for cx, cy in ((-0.2, 0.5), (-0.08, 0.48), (0.04, 0.49), (0.16, 0.5), (-0.13, 0.6), (0.0, 0.61), (0.12, 0.61)):
        lump = np.clip(1 - ellipse(shape, (cx * squeeze, cy), (0.075, 0.065)), 0, 1)
        np.maximum(bones, bone(lump.astype(np.float32), 0.35), out=bones)
    for cx, radius in ((-0.1, 0.1), (0.13, 0.07)):
        np.maximum(bones, bone(tube(shape, [(cx * squeeze, 0.72), (cx, 1.2)], [radius, radius * 0.8]), 0.55), out=bones)
    np.maximum(flesh, tube(shape, [(0, 0.1), (0.02, 0.5), (0, 1.2)], [0.34 * squeeze, 0.27, 0.24]), out=flesh)
    return _limb(rng, flesh, bones, "L", (0.5, -0.9))


def _phalanx(bones: Plane, start: Point, end: Point, radius: float, *, bent: bool) -> None:
    shape = (bones.shape[0], bones.shape[1])
    a = (start[0] + (end[0] - start[0]) * 0.1, start[1] + (end[1] - start[1]) * 0.1)
    b = (start[0] + (end[0] - start[0]) * 0.9, start[1] + (end[1] - start[1]) * 0.9)
    middle = ((a[0] + b[0]) / 2 + (0.05 if bent else 0), a[1] + (b[1] - a[1]) * (0.72 if bent else 0.5))
    np.maximum(bones, bone(tube(shape, [a, middle, b], [radius, radius * 0.68, radius * 0.92]), 0.6), out=bones)


def _limb(rng: Rng, flesh: Plane, bones: Plane, side: str, at: Point) -> Plane:
    shape = (flesh.shape[0], flesh.shape[1])
    grain = 1 + 0.12 * clouds(rng, shape, 60)
    image = 0.04 + 0.34 * np.sqrt(flesh) + 0.78 * bones * grain
    return (image + 0.012 * noise(rng, shape) + 0.9 * marker(shape, side, at)).astype(np.float32)


def forearm(rng: Rng, *, lateral: bool, healing: float, shape: Shape = (448, 280)) -> Plane:
    """A child's right forearm with a buckled radius; `healing` 0 to 1 grows the callus."""
    gap = 0.13 if lateral else 0.26
    radius = [
        (-gap / 2, -0.72),
        (-gap * 0.8, -0.1),
        (-gap * 0.75 - 0.045 * (1 - 0.4 * healing), 0.32),
        (-gap / 2, 0.62),
    ]
    ulna = [(gap / 2, -0.86), (gap * 0.55, 0.0), (gap * 0.5, 0.6)]
    bones = bone(tube(shape, radius, [0.075, 0.06, 0.072, 0.1]), 0.6)
    np.maximum(bones, bone(tube(shape, ulna, [0.11, 0.06, 0.06]), 0.6), out=bones)
    np.maximum(bones, 0.8 * healing * glow(ellipse(shape, radius[2], (0.12, 0.1))), out=bones)
    for cx, cy in ((-gap / 2, 0.76), (-0.07, 0.88), (0.06, 0.89), (gap / 2, 0.72), (0.02, -0.95)):
        lump = np.clip(1 - ellipse(shape, (cx, cy), (0.08, 0.045)), 0, 1).astype(np.float32)
        np.maximum(bones, bone(lump, 0.4), out=bones)
    flesh = tube(shape, [(0, -1.2), (0, -0.4), (0, 0.7), (0, 1.2)], [0.38, 0.36, 0.25, 0.28])
    return _limb(rng, flesh, bones, "R", (-0.56, -0.92))


def knee(rng: Rng, *, lateral: bool, shape: Shape = (448, 336)) -> Plane:
    """A right knee whose inner joint space is narrowed."""
    lean = 0.12 if lateral else 0.0
    femur = tube(shape, [(lean - 0.05, -1.2), (-0.02, -0.4), (0, -0.17)], [0.15, 0.16, 0.27])
    tibia = tube(shape, [(0, 0.24), (0.01, 0.42), (lean, 1.2)], [0.26, 0.18, 0.14])
    bones = np.maximum(bone(femur, 0.62), bone(tibia, 0.62))
    for side, drop in ((-0.16, -0.1), (0.17, -0.08)):
        np.maximum(bones, 0.85 * dome(ellipse(shape, (side * (0.4 if lateral else 1), drop), (0.2, 0.19))), out=bones)
        plateau = ellipse(shape, (side * (0.5 if lateral else 1), 0.22), (0.2, 0.085), 0.05 * np.sign(side))
        np.maximum(bones, 0.8 * dome(plateau), out=bones)
    fibula = tube(shape, [(-0.28 + 2 * lean, 0.36), (-0.26 + lean, 0.5), (-0.24 + lean, 1.2)], [0.075, 0.055, 0.055])
    np.maximum(bones, bone(fibula, 0.55), out=bones)
    cap = (-0.38, -0.2) if lateral else (-0.01, -0.26)
    bones += (0.5 if lateral else 0.2) * dome(ellipse(shape, cap, (0.09 if lateral else 0.15, 0.17)))
    flesh = tube(shape, [(0, -1.2), (0, 0.1), (0.02, 1.2)], [0.52, 0.45, 0.4])
    return _limb(rng, flesh, bones, "R", (-0.68, -0.92))


def breast(rng: Rng, *, side: str, view: str, mass: bool, shape: Shape = (480, 360)) -> Plane:
    """One breast, compressed; the chest wall is the left edge for a left breast, the right edge for a right one."""
    y, x = grid(shape)
    wall = -0.75
    tip, tall, centre = (0.98, 0.72, 0.0) if view == "CC" else (1.0, 0.84, 0.14)
    field = ellipse(shape, (wall, centre), (tip, tall), 0.0 if view == "CC" else 0.12)
    body = np.clip(1.9 * np.sqrt(np.clip(1 - field, 0, 1)), 0, 1)
    gland = glow(ellipse(shape, (wall + 0.45, centre - 0.02), (0.4, 0.42)))
    mesh = 0.5 + 0.34 * clouds(rng, shape, 7) + 0.16 * clouds(rng, shape, 13) + 0.1 * np.abs(clouds(rng, shape, 23))
    image = body * (0.24 + 0.5 * gland * np.clip(mesh, 0, 1.4))
    for step in range(-4, 5):
        angle = 0.175 * step
        duct = [(wall + tip * 0.93, centre)]
        duct.append((duct[0][0] - 0.35 * float(np.cos(angle)), centre + 0.35 * float(np.sin(angle))))
        duct.append((duct[0][0] - 0.7, duct[1][1] + float(rng.normal(0.2 * angle, 0.06))))
        image += 0.07 * np.sqrt(tube(shape, duct, [0.012, 0.012, 0.02])) * body
    if view == "MLO":
        image += 0.32 * np.clip((-0.52 - 0.42 * (y + 0.05) - x) * 14, 0, 1) * body
    if mass:
        lump = ellipse(shape, (wall + 0.5, centre - 0.16), (0.075, 0.065))
        image += 0.3 * solid(lump * (1 + 0.25 * clouds(rng, shape, 50)), 0.4)
        for _ in range(9):
            cx, cy = wall + 0.5 + float(rng.normal(0, 0.05)), centre - 0.16 + float(rng.normal(0, 0.05))
            image += 0.3 * solid(ellipse(shape, (cx, cy), (0.008, 0.008)), 0.5)
    image += 0.006 * noise(rng, shape) * (0.3 + body)
    image = image[:, ::-1] if side == "R" else image
    return np.ascontiguousarray(image, dtype=np.float32) + 0.9 * marker(
        shape, side, (0.6, -0.93) if side == "L" else (-0.68, -0.93), 0.09
    )


def angiogram(rng: Rng, frames: int = 10, shape: Shape = (256, 256)) -> Iterator[Bytes]:
    """A run of a left coronary artery: contrast comes in and the vessels, dark, fill outwards."""
    still = 0.66 - 0.25 * dome(ellipse(shape, (0.5, 0.55), (0.9, 0.75))) + 0.03 * clouds(rng, shape, 8)
    for i in range(5):
        still -= 0.05 * bone(
            tube(shape, [(-1.2, -0.8 + 0.4 * i), (0, -1 + 0.4 * i), (1.2, -0.7 + 0.4 * i)], [0.06] * 3), 0.4
        )
    tree = _coronaries()
    for frame in range(frames):
        front, beat = 0.9 + 1.8 * (frame + 1) / frames, 0.025 * np.sin(frame * 1.6)
        vessels = np.zeros(shape, dtype=np.float32)
        for points, first, last, begin in tree:
            shown = max(0, min(len(points), int((front - begin) * 5)))
            moved = [(x * (1 + beat), y * (1 - beat)) for x, y in points[:shown]]
            np.maximum(vessels, tube(shape, moved, np.linspace(first, last, len(points)).tolist()), out=vessels)
        catheter = tube(shape, [(-0.9, -1.1), (-0.6, -0.75), (-0.38, -0.62)], [0.022] * 3)
        image = still - 0.42 * np.sqrt(vessels) - 0.22 * np.sqrt(catheter) + 0.022 * noise(rng, shape)
        yield to_bytes(image.astype(np.float32))


def _coronaries() -> list[tuple[list[Point], float, float, float]]:
    """Branches as (points, first radius, last radius, when contrast reaches it)."""
    t = np.linspace(0, 1, 9)

    def curve(x: object, y: object) -> list[Point]:
        return list(zip(np.asarray(x).tolist(), np.asarray(y).tolist(), strict=True))

    return [
        (curve(-0.38 + 0.22 * t, -0.62 + 0.05 * t), 0.05, 0.048, -1.0),
        (curve(-0.16 + 0.75 * np.sin(1.3 * t), -0.57 + 1.25 * t), 0.042, 0.015, 0.3),
        (curve(-0.16 - 0.18 * np.sin(2.2 * t), -0.57 + 1.2 * t**1.1), 0.04, 0.014, 0.3),
        (curve(0.125 + 0.3 * t**2, -0.195 + 0.75 * t), 0.025, 0.008, 0.8),
        (curve(0.254 + 0.45 * t, -0.01 + 0.25 * t), 0.022, 0.007, 0.9),
        (curve(-0.31 - 0.4 * t, -0.07 + 0.55 * t), 0.024, 0.008, 0.9),
        (curve(-0.334 + 0.35 * t, 0.114 + 0.6 * t), 0.02, 0.007, 1.1),
    ]
