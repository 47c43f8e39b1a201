"""Phantoms cut through: CT in Hounsfield units, MR as brightness 0 to 1. `z` runs from -1 to 1 along the stack."""

from dataclasses import dataclass

import numpy as np

from radiology.samples.phantoms.canvas import Plane, Point, Shape, clouds, ellipse, filled, glow, noise, solid, tube

Rng = np.random.Generator


@dataclass(frozen=True)
class Head:
    """What each tissue of a head measures: Hounsfield units for CT, brightness for MR."""

    air: float
    scalp: float
    skull: float
    csf: float
    grey: float
    white: float
    eye: float
    lesion: float
    grain: float


CT_HEAD = Head(-1000, 30, 950, 6, 39, 28, 18, 68, 4.0)
MR_T2_HEAD = Head(0.02, 0.62, 0.06, 0.95, 0.50, 0.34, 0.97, 0.78, 0.018)
MR_T1_HEAD = Head(0.02, 0.85, 0.07, 0.14, 0.40, 0.58, 0.18, 0.32, 0.018)


def _mix(image: Plane, mask: Plane, value: float | Plane) -> None:
    image += mask * (value - image)


def head(rng: Rng, z: float, tissue: Head, lesion: float = 0.0, shape: Shape = (256, 256)) -> Plane:
    """One axial section. `lesion` 0 to 1 is the size of a lens-shaped bleed inside the left skull (image right)."""
    size = 0.55 + 0.45 * float(np.sqrt(max(0.0, 1 - max(0.0, z) ** 2)))
    rx, ry = 0.70 * size, 0.88 * size
    image = np.full(shape, tissue.air, dtype=np.float32)
    _mix(image, solid(ellipse(shape, (0, 0), (rx, ry)), 0.02), tissue.scalp)
    if z < -0.55:
        _mix(image, solid(ellipse(shape, (0, -ry), (0.09, 0.16)), 0.1), tissue.scalp)
    _mix(image, solid(ellipse(shape, (0, 0), (rx * 0.95, ry * 0.96)), 0.02), tissue.skull)
    inside = solid(ellipse(shape, (0, 0.01), (rx * 0.865, ry * 0.885)), 0.02)
    _mix(image, inside, tissue.csf)
    wavy = ellipse(shape, (0, 0.01), (rx * 0.84, ry * 0.86)) * (1 + 0.035 * clouds(rng, shape, 22))
    _mix(image, solid(wavy, 0.03) * inside, tissue.grey)
    folds = ellipse(shape, (0, 0), (rx * 0.69, ry * 0.74)) * (1 + 0.3 * np.clip(clouds(rng, shape, 15), -1, 1))
    _mix(image, solid(folds, 0.1) * solid(wavy, 0.03) * inside, tissue.white)
    _mix(
        image,
        filled(tube(shape, [(0, -ry * 0.86), (0, -ry * 0.36)], [0.014] * 2), 0.6),
        tissue.csf * 0.7 + tissue.grey * 0.3,
    )
    _mix(
        image,
        filled(tube(shape, [(0, ry * 0.4), (0, ry * 0.87)], [0.014] * 2), 0.6),
        tissue.csf * 0.7 + tissue.grey * 0.3,
    )
    if z > -0.3:
        _ventricles(image, z, size, tissue)
    if z < -0.3:
        _skull_base(image, z, tissue)
    if lesion and -0.2 < z < 0.6:
        reach = lesion * (1 - abs(z - 0.2) / 0.6)
        lens = solid(ellipse(shape, (rx * 0.82, -0.1), (0.05 + 0.22 * reach, 0.12 + 0.26 * reach), 0.12), 0.1)
        _mix(image, lens * inside, tissue.lesion)
    return (image + tissue.grain * noise(rng, shape)).astype(np.float32)


def _ventricles(image: Plane, z: float, size: float, tissue: Head) -> None:
    shape = (image.shape[0], image.shape[1])
    open_ = max(0.0, 1 - abs(z - 0.15) / 0.6) * size
    if open_ <= 0:
        return
    for side in (-1, 1):
        for at, end, value in (((0.06, -0.26), (0.16, -0.33), 0.055), ((0.09, 0.16), (0.2, 0.36), 0.06)):
            points = [(side * 0.06, 0.0), (side * at[0], at[1] * open_), (side * end[0], end[1] * open_)]
            _mix(image, filled(tube(shape, points, [0.03 * open_, value * open_, 0.035 * open_]), 0.3), tissue.csf)
        _mix(image, solid(ellipse(shape, (side * 0.24, -0.02), (0.1 * open_, 0.17 * open_)), 0.2), tissue.grey)
    _mix(image, solid(ellipse(shape, (0, 0.05), (0.015, 0.1 * open_)), 0.3), tissue.csf)


def _skull_base(image: Plane, z: float, tissue: Head) -> None:
    shape = (image.shape[0], image.shape[1])
    for side in (-1, 1):
        petrous = tube(shape, [(side * 0.5, 0.13), (side * 0.15, 0.0)], [0.11, 0.04])
        _mix(image, filled(petrous, 0.4), tissue.skull)
        if z < -0.5:
            _mix(
                image,
                solid(ellipse(shape, (side * 0.31, -0.64), (0.2, 0.22)), 0.08),
                tissue.scalp * 0.3 + tissue.skull * 0.05,
            )
            _mix(image, solid(ellipse(shape, (side * 0.31, -0.68), (0.14, 0.14)), 0.08), tissue.eye)
            _mix(image, filled(tube(shape, [(side * 0.3, -0.56), (side * 0.12, -0.3)], [0.025] * 2), 0.5), tissue.grey)
        _mix(image, solid(ellipse(shape, (side * 0.42, 0.12), (0.06, 0.05)), 0.3), tissue.air)
    for cx in (-0.06, 0.06):
        _mix(image, solid(ellipse(shape, (cx, -0.55), (0.05, 0.2)), 0.15), tissue.air)
    _mix(image, solid(ellipse(shape, (0, 0.14), (0.16, 0.13)), 0.1), tissue.white)
    _mix(image, solid(ellipse(shape, (0, 0.3), (0.06, 0.035)), 0.2), tissue.csf)


def thorax(rng: Rng, z: float, *, nodule: bool, shape: Shape = (256, 256)) -> Plane:
    """One axial CT section of a chest in Hounsfield units, with contrast in the great vessels."""
    image = np.full(shape, -1000, dtype=np.float32)
    body = solid(ellipse(shape, (0, 0.02), (0.94, 0.66)), 0.02)
    _mix(image, body, -95.0)
    _mix(image, solid(ellipse(shape, (0, 0.03), (0.87, 0.59)), 0.03), 52.0)
    _mix(image, filled(tube(shape, [(-1.3, 0.8), (0, 0.86), (1.3, 0.8)], [0.035] * 3), 0.5), -300.0)
    grow = float(np.sqrt(max(0.12, 1 - (z * 0.9) ** 2)))
    lungs = np.zeros(shape, dtype=np.float32)
    for side in (-1, 1):
        field = ellipse(shape, (side * 0.42, 0.03), (0.33 * grow, 0.47 * grow), side * 0.12)
        lungs = np.maximum(lungs, solid(field, 0.04))
    heart = _heart(shape, z)
    lungs *= 1 - solid(heart, 0.05)
    _mix(image, lungs, -860 + 25 * clouds(rng, shape, 12))
    _pulmonary_vessels(rng, image, lungs)
    if z < 0.35:
        _mix(image, solid(heart, 0.05), 95.0)
        for at in ((-0.08, -0.1), (0.16, 0.02)):
            _mix(image, solid(ellipse(shape, at, (0.14, 0.1), 0.6), 0.2), 210.0)
    else:
        _mix(image, solid(ellipse(shape, (0.02, -0.06), (0.24, 0.1), 0.35), 0.08), 230.0)
        _mix(image, solid(ellipse(shape, (-0.11, -0.1), (0.055, 0.05)), 0.1), 260.0)
    _mix(image, solid(ellipse(shape, (0.13, 0.25), (0.075, 0.075)), 0.08), 215.0)
    if z > 0.1:
        _mix(image, solid(ellipse(shape, (0, 0.09), (0.06, 0.055)), 0.1), -990.0)
    _thoracic_bones(image, z)
    if nodule and abs(z - 0.2) < 0.25:
        _mix(
            image, solid(ellipse(shape, (-0.5, -0.12), (0.07, 0.065)) * (1 + 0.2 * clouds(rng, shape, 40)), 0.15), 45.0
        )
    return (image + 12 * noise(rng, shape)).astype(np.float32)


def _heart(shape: Shape, z: float) -> Plane:
    size = 0.62 + 0.38 * max(0.0, 1 - abs(z + 0.35) / 0.6)
    return np.minimum(
        ellipse(shape, (0.1, -0.08), (0.36 * size, 0.25 * size), 0.55), ellipse(shape, (0.02, 0.08), (0.15, 0.34))
    ).astype(np.float32)


def _pulmonary_vessels(rng: Rng, image: Plane, lungs: Plane) -> None:
    shape = (image.shape[0], image.shape[1])
    profile = np.zeros(shape, dtype=np.float32)
    for _ in range(26):
        side, angle = float(rng.choice((-1, 1))), float(rng.uniform(-1.4, 1.4))
        start, length = float(rng.uniform(0.0, 0.22)), float(rng.uniform(0.05, 0.22))
        way: Point = (side * float(np.cos(angle)), float(np.sin(angle)))
        points = [(side * 0.18 + way[0] * d, 0.04 + way[1] * d) for d in (start, start + length)]
        np.maximum(profile, tube(shape, points, [0.026 * (1 - start * 2), 0.008]), out=profile)
    for cx, cy in rng.uniform((-0.75, -0.4), (0.75, 0.45), (60, 2)).tolist():
        np.maximum(profile, tube(shape, [(cx, cy), (cx + 0.01, cy)], [0.011, 0.011]), out=profile)
    _mix(image, filled(profile, 0.5) * lungs, 20.0)


def _thoracic_bones(image: Plane, z: float) -> None:
    shape = (image.shape[0], image.shape[1])
    _mix(image, solid(ellipse(shape, (0, 0.35), (0.14, 0.115)), 0.06), 520.0)
    _mix(image, solid(ellipse(shape, (0, 0.35), (0.115, 0.09)), 0.1), 210.0)
    _mix(image, filled(tube(shape, [(-0.2, 0.49), (0, 0.46), (0.2, 0.49)], [0.04] * 3), 0.4), 420.0)
    _mix(image, filled(tube(shape, [(0, 0.46), (0, 0.6)], [0.045, 0.03]), 0.4), 450.0)
    _mix(image, solid(ellipse(shape, (0, 0.475), (0.055, 0.045)), 0.1), 15.0)
    _mix(image, solid(ellipse(shape, (0, -0.54), (0.12, 0.03)), 0.2), 380.0)
    for k in range(7):
        for side in (-1, 1):
            angle = -1.15 + 0.4 * k + 0.5 * z
            rib = [
                (side * 0.82 * float(np.cos(a)), 0.03 + 0.55 * float(np.sin(a)))
                for a in (angle, angle + 0.1, angle + 0.2)
            ]
            _mix(image, filled(tube(shape, rib, [0.03] * 3), 0.4), 560.0)


def knee(rng: Rng, z: float, shape: Shape = (256, 256)) -> Plane:
    """One sagittal, proton-density weighted MR section of a knee: z -1 is the inner side, 1 the outer side."""
    centre = 1 - abs(z)
    image = np.full(shape, 0.02, dtype=np.float32)
    outline = tube(shape, [(0.12, -1.3), (0.02, -0.1), (0.16, 1.3)], [0.78, 0.72 + 0.06 * centre, 0.66])
    _mix(image, filled(outline, 0.05), 0.82)
    _mix(
        image,
        filled(tube(shape, [(0.5, -1.3), (0.48, -0.3), (0.42, 0.0)], [0.3, 0.2, 0.05]), 0.2),
        0.36 + 0.04 * clouds(rng, shape, 18),
    )
    _mix(
        image,
        filled(tube(shape, [(0.36, 0.15), (0.52, 0.6), (0.5, 1.3)], [0.06, 0.24, 0.26]), 0.2),
        0.36 + 0.04 * clouds(rng, shape, 18),
    )
    _mix(image, filled(tube(shape, [(-0.46, -1.3), (-0.44, -0.7)], [0.16, 0.05]), 0.3), 0.36)
    _mix(image, filled(tube(shape, [(-0.36, -0.62), (-0.42, -0.25), (-0.3, 0.1)], [0.1, 0.08, 0.05]), 0.6), 0.9)
    wide = 0.33 + 0.05 * abs(z)
    femur = (
        ([(-0.1, -1.3), (-0.06, -0.5), (0.02, -0.2)], [0.24, 0.24, wide]),
        ([(0.02, -0.2), (0.12, -0.16)], [wide, wide - 0.02]),
    )
    tibia = (
        ([(0.02, 0.42), (0.1, 0.62), (0.16, 1.3)], [0.34, 0.3, 0.24]),
        ([(-0.16, 0.36), (0.24, 0.36)], [0.16, 0.16]),
    )
    for parts, cap in ((femur, 0.055), (tibia, 0.045)):
        _bone(rng, image, parts, cap)
    for side in (-1, 1):
        tear = solid(ellipse(shape, (0.06 + side * 0.26, 0.165), (0.13 * abs(z) + 0.03, 0.055), side * 0.25), 0.2)
        _mix(image, tear, 0.07)
    _mix(image, solid(ellipse(shape, (-0.56, -0.3), (0.115, 0.21), 0.1), 0.1), 0.05)
    _mix(image, solid(ellipse(shape, (-0.565, -0.3), (0.085, 0.18), 0.1), 0.1), 0.72 + 0.05 * clouds(rng, shape, 30))
    for points, radii in (
        ([(-0.54, -1.2), (-0.58, -0.5)], [0.035, 0.035]),
        ([(-0.58, -0.1), (-0.46, 0.3), (-0.3, 0.58)], [0.035, 0.035, 0.03]),
    ):
        _mix(image, filled(tube(shape, points, radii), 0.5), 0.06)
    if centre > 0.6:
        _mix(image, filled(tube(shape, [(0.2, -0.08), (-0.08, 0.25)], [0.045, 0.04]), 0.5), 0.16)
        _mix(image, filled(tube(shape, [(0.06, -0.04), (0.26, 0.1), (0.34, 0.36)], [0.04, 0.045, 0.035]), 0.5), 0.07)
    shade = 0.86 + 0.25 * glow(ellipse(shape, (-0.4, 0), (0.9, 0.9)))
    return (image * shade + 0.02 * np.abs(noise(rng, shape))).astype(np.float32)


def _bone(rng: Rng, image: Plane, parts: tuple[tuple[list[Point], list[float]], ...], cap: float) -> None:
    """Cartilage, then a thin dark cortex, then bright marrow, each a little smaller than the one before."""
    shape = (image.shape[0], image.shape[1])
    for less, value in ((-cap * 0.4, 0.58), (0.0, 0.05), (0.035, 0.0)):
        for points, radii in parts:
            mask = filled(tube(shape, points, [radius - less for radius in radii]), 0.05)
            _mix(image, mask, value or 0.7 + 0.05 * clouds(rng, shape, 34))
