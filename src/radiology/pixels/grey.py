"""From stored values to shades of grey: modality, values of interest, presentation (PS3.4 N.2.1, PS3.3 C.11)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radiology.pixels.decode import Array, Frame, Layout, without_unused_bits
from radiology.pixels.header import Header, Item, items, number, numbers
from radiology.standards.dicom.attributes import text_of

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
FUNCTIONS: Final = (LINEAR, LINEAR_EXACT, SIGMOID)
#: Without a window, the darkest and the brightest of so many in a thousand do not count.
_OUTLIERS = 5
#: Tables are made for images of at most so many bits; others are calculated pixel by pixel.
_MOST_TABLE_BITS = 16
_FRAME_VOI, _PIXEL_VALUES = "00289132", "00289145"

Curve = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Window:
    """What is made visible (PS3.3 C.11.2.1.2): centre and width in modality units, and the shape between."""

    center: float
    width: float
    function: str = LINEAR

    def line(self) -> tuple[float, float]:
        """Slope and intercept of a straight window, to 0 for black and 1 for white; not for SIGMOID."""
        if self.function == LINEAR_EXACT:
            return 1 / self.width, 0.5 - self.center / self.width
        width = max(self.width - 1, 1e-6)
        return 1 / width, 0.5 - (self.center - 0.5) / width

    def curve(self, values: Array) -> Array:
        """Values in modality units to 0 for black and 1 for white."""
        if self.function == SIGMOID:
            # Beyond 700 the exponential has no number.
            return 1 / (1 + np.exp(np.clip(-4 * (values - self.center) / self.width, -700, 700)))
        slope, intercept = self.line()
        return values * slope + intercept


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table (PS3.3 C.11.1.1.1): the value that `first` is mapped to, and those that follow."""

    first: int
    entries: Array
    bits: int

    def of(self, values: Array) -> Array:
        """What values are mapped to; those outside as the nearest inside."""
        index = np.clip(np.rint(np.nan_to_num(values)) - self.first, 0, len(self.entries) - 1)
        return self.entries[index.astype(np.int64)]

    def curve(self, values: Array) -> Array:
        """The same, to 0 for black and 1 for white."""
        return self.of(values) / float((1 << self.bits) - 1)


def table_of(header: Header, item: Item, descriptor: str, data: str, *, is_signed: bool) -> Table | None:
    """A table by the tags of its descriptor and its data; None where it is not whole."""
    described = [int(value) for value in numbers(item, descriptor)]
    words = header.words(item, data)
    if len(described) != 3 or not len(words):
        return None
    count, first, bits = described[0] or 65536, described[1], described[2]
    if bits == 8 and len(words) * 2 - count in (0, 1):
        words = words.view(np.uint8)[:count]  # Two entries in a word (PS3.3 C.11.1.1.1, retired).
    elif bits == 8 and words.max() > 0xFF:
        bits = 16
    if is_signed and first > 0x7FFF:
        first -= 0x10000
    return Table(first, words[:count], min(max(bits, 8), 16))


def in_grey(
    frame: Frame,
    layout: Layout,
    header: Header,
    number_of_frame: int,
    *,
    window: Window | None = None,
    state: Header | None = None,
    voi: Item | None = None,
) -> Array:
    """A frame as eight bits, 0 for black. `window` goes before all others; `voi` is that of a presentation state."""
    stored = without_unused_bits(frame, layout)
    # The padding of photographs and slides, which have eight bits, is their background and not black.
    padded = None if frame.bits_stored <= 8 else _padded(stored, header.attributes, is_signed=layout.is_signed)
    modality = _modality(header, number_of_frame, state, is_signed=layout.is_signed)
    shape = text_of((state or header).attributes, "20500020")
    turned = (state is None and frame.photometric_interpretation == "MONOCHROME1") or shape == "INVERSE"
    found = _voi(header, number_of_frame, voi, state)
    chosen = window or found or _automatic(stored, padded, header.attributes, modality, frame)
    line = _line(modality, chosen)
    presentation = _presentation(state)
    if line is not None and presentation is None:
        grey = _straight(stored, *line, turned=turned)
    else:
        grey = _curved(stored, modality, chosen.curve, presentation, turned=turned)
    if padded is not None:
        grey[padded] = 0
    return grey


# --- Modality ---------------------------------------------------------------------------------------------------------


def _modality(header: Header, frame: int, state: Header | None, *, is_signed: bool) -> tuple[float, float] | Table:
    """Slope and intercept, or a table (PS3.3 C.11.1). A presentation state brings its own where it has one."""
    source = state if state is not None and {"00283000", "00281053"} & state.attributes.keys() else header
    for item in items(source.attributes, "00283000")[:1]:
        if (table := table_of(source, item, "00283002", "00283006", is_signed=is_signed)) is not None:
            return table
    for place in source.places(frame, _PIXEL_VALUES):
        if "00281053" in place or "00281052" in place:
            return number(place, "00281053", 1.0) or 1.0, number(place, "00281052", 0.0)
    return 1.0, 0.0


def _applied(modality: tuple[float, float] | Table, values: Array) -> Array:
    if isinstance(modality, Table):
        return modality.of(values).astype(np.float64)
    slope, intercept = modality
    return values * slope + intercept


# --- Values of interest -----------------------------------------------------------------------------------------------


def _voi(header: Header, frame: int, voi: Item | None, state: Header | None) -> Window | Table | None:
    """The table or the first window (PS3.3 C.11.2) of the presentation state, of the frame, of the image."""
    places = [voi] if voi is not None else header.places(frame, _FRAME_VOI)
    source = state if voi is not None and state is not None else header
    for place in places:
        for item in items(place, "00283010")[:1]:
            # What goes into this table has a sign where modality values have one, which only its first value shows.
            if (table := table_of(source, item, "00283002", "00283006", is_signed=True)) is not None:
                return table
        centers, widths = numbers(place, "00281050"), numbers(place, "00281051")
        if centers and widths and widths[0] > 0 and math.isfinite(centers[0]):
            function = text_of(place, "00281056").strip()
            return Window(centers[0], widths[0], function if function in FUNCTIONS else LINEAR)
    return None


def _automatic(
    stored: Array, padded: Array | None, attributes: Item, modality: tuple[float, float] | Table, frame: Frame
) -> Window:
    """A window over what the image has, where it names none: all of eight bits, else nearly all values there are."""
    if isinstance(modality, Table):
        low, high = 0.0, float((1 << modality.bits) - 1)
        return _over(low, high)
    if frame.bits_stored <= 8 and stored.dtype.kind == "u":
        low, high = 0.0, float((1 << frame.bits_stored) - 1)
    else:
        low, high = _said(attributes, stored) or _seen(stored if padded is None else stored[~padded])
    slope, intercept = modality
    return _over(*sorted((low * slope + intercept, high * slope + intercept)))


def _over(low: float, high: float) -> Window:
    return Window((low + high) / 2, max(high - low, 1e-9), LINEAR_EXACT)


def _said(attributes: Item, stored: Array) -> tuple[float, float] | None:
    """Smallest and Largest Image Pixel Value, where they hold."""
    low, high = number(attributes, "00280106", math.nan), number(attributes, "00280107", math.nan)
    if not low < high or stored.dtype.kind == "f":
        return None
    return (low, high) if low <= stored.min() and stored.max() <= high <= stored.max() * 2.0 + 1 else None


def _seen(stored: Array) -> tuple[float, float]:
    values = stored[np.isfinite(stored)] if stored.dtype.kind == "f" else stored
    if not values.size:
        return 0.0, 1.0
    step = max(values.size // 200_000, 1)
    sample = values.ravel()[::step]
    rank = sample.size * _OUTLIERS // 1000
    low, high = np.partition(sample, (rank, sample.size - 1 - rank))[[rank, sample.size - 1 - rank]]
    return (float(low), float(high)) if low < high else (float(values.min()), float(values.max()))


# --- Presentation -----------------------------------------------------------------------------------------------------


def _presentation(state: Header | None) -> Table | None:
    """The Presentation LUT of a presentation state (PS3.3 C.11.6)."""
    lookups: Sequence[Item] = [] if state is None else items(state.attributes, "20500010")
    for item in lookups[:1]:
        assert state is not None  # noqa: S101 - there are none without one.
        return table_of(state, item, "00283002", "00283006", is_signed=False)
    return None


def _padded(stored: Array, attributes: Item, *, is_signed: bool) -> Array | None:
    """Where there is padding and no image (PS3.3 C.7.5.1.1.2); None where there is nowhere any."""
    if "00280120" not in attributes or stored.dtype.kind == "f":
        return None
    bounds = [number(attributes, "00280120", 0)]
    bounds.append(number(attributes, "00280121", bounds[0]))
    low, high = sorted(bound - 0x10000 if is_signed and bound > 0x7FFF else bound for bound in bounds)
    padded = stored == low if low == high else (stored >= low) & (stored <= high)
    return padded if padded.any() else None


def _line(modality: tuple[float, float] | Table, chosen: Window | Table) -> tuple[float, float] | None:
    """Slope and intercept from stored values to shades, where all of it is straight."""
    if isinstance(modality, Table) or isinstance(chosen, Table) or chosen.function == SIGMOID:
        return None
    slope, intercept = chosen.line()
    return modality[0] * slope * 255, (modality[1] * slope + intercept) * 255


def _straight(stored: Array, slope: float, intercept: float, *, turned: bool) -> Array:
    """The fast path: one multiplication and one addition for each pixel."""
    if turned:
        slope, intercept = -slope, 255 - intercept
    precise = np.float64 if stored.itemsize > 2 else np.float32
    shades = np.multiply(stored, precise(slope), dtype=precise)
    shades += precise(intercept + 0.5)
    np.clip(shades, 0, 255, out=shades)
    return np.nan_to_num(shades).astype(np.uint8) if stored.dtype.kind == "f" else shades.astype(np.uint8)


def _curved(
    stored: Array, modality: tuple[float, float] | Table, curve: Curve, presentation: Table | None, *, turned: bool
) -> Array:
    def shades(values: Array) -> Array:
        share = np.clip(curve(_applied(modality, values)), 0, 1)
        if presentation is not None:
            share = presentation.curve(share * (len(presentation.entries) - 1) + presentation.first)
        return np.rint((1 - share if turned else share) * 255).astype(np.uint8)

    if stored.dtype.kind == "f" or stored.itemsize * 8 > _MOST_TABLE_BITS:
        return shades(stored.astype(np.float64))
    low = int(stored.min())
    table = shades(np.arange(low, int(stored.max()) + 1, dtype=np.float64))
    return table[stored.astype(np.int32) - low]
