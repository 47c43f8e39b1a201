"""One frame of pixel data as an array, from any transfer syntax (PS3.5 section 8 and annex A).

For a process with limits: decoders are C libraries, and the bytes come from whoever may send.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PIL import Image

from radiology.errors import NotSupported, RadiologyError, Unprocessable
from radiology.pixels.codestream import Codestream, read_codestream
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES

PROCESSING_FAILURE = 0x0110
MOST_FRAME_BYTES = 512 * 1024 * 1024
ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED_IMAGE_FRAME = "1.2.840.10008.1.2.8.1"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
_CODESTREAMS: Final = frozenset(
    f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)
)
_LOSSY_JPEG: Final = frozenset({0xC0, 0xC1, 0xC2})
_YBR = frozenset({"YBR_FULL", "YBR_FULL_422"})
#: The decoder has undone the component transformation of JPEG 2000 (PS3.5 8.2.4).
_UNDONE = frozenset({"YBR_ICT", "YBR_RCT"})
_BITS_ALLOCATED = (1, 8, 16, 32, 64)
#: From YBR_FULL to RGB (PS3.3 C.7.6.3.1.2), for samples of more than 8 bits.
_TO_RGB = np.array([[1.0, 1.0, 1.0], [0.0, -0.344136, 1.772], [1.402, -0.714136, 0.0]])

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the samples of an image lie (PS3.3 C.7.6.3.1)."""

    rows: int
    columns: int
    samples_per_pixel: int = 1
    photometric_interpretation: str = "MONOCHROME2"
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    is_signed: bool = False
    planar_configuration: int = 0
    is_float: bool = False

    @property
    def frame_bits(self) -> int:
        """The size of one native frame in bits (PS3.5 8.1.1)."""
        samples = 2 if self.photometric_interpretation == "YBR_FULL_422" else self.samples_per_pixel
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def frame_bytes(self) -> int:
        """The same in bytes, rounded up."""
        return (self.frame_bits + 7) // 8

    def check(self) -> None:
        """Raises Unprocessable for what cannot be an image, NotSupported for one too large."""
        for name, value, fits in (
            ("Rows (0028,0010)", self.rows, 1 <= self.rows <= 0xFFFF),
            ("Columns (0028,0011)", self.columns, 1 <= self.columns <= 0xFFFF),
            ("Samples per Pixel (0028,0002)", self.samples_per_pixel, self.samples_per_pixel in (1, 3)),
            ("Bits Allocated (0028,0100)", self.bits_allocated, self.bits_allocated in _BITS_ALLOCATED),
            ("Bits Stored (0028,0101)", self.bits_stored, 1 <= self.bits_stored <= self.bits_allocated),
        ):
            if not fits:
                raise _broken(f"{name} is {value}, which no image can have")
        if self.rows * self.columns * self.samples_per_pixel * max(self.bits_allocated // 8, 1) > MOST_FRAME_BYTES:
            raise NotSupported(
                f"A frame of {self.columns} x {self.rows} pixels is too large to be decoded here. Download the object."
            )


@dataclass(frozen=True, slots=True)
class Frame:
    """Decoded pixels: rows, columns, and samples where there are several; all bits as they were stored.

    `photometric_interpretation` and `bits_stored` say what the numbers mean now.
    """

    pixels: Array
    photometric_interpretation: str
    bits_stored: int


def decode(data: bytes, layout: Layout, transfer_syntax_uid: str, *, as_rgb: bool = True) -> Frame:
    """One frame, whose bytes are `data`. `as_rgb` turns luminance and chrominance into RGB.

    Raises NotSupported for what no decoder here knows, Unprocessable for what does not decode.
    """
    layout.check()
    try:
        frame = _decoded(data, layout, transfer_syntax_uid, as_rgb)
        if frame.pixels.shape[:2] != (layout.rows, layout.columns):
            raise _broken(f"the frame has not the size {layout.columns} x {layout.rows} that its attributes say")
        return _in_rgb(frame) if as_rgb and frame.photometric_interpretation in _YBR else frame
    except RadiologyError:
        raise
    except MemoryError as error:
        raise _broken("it needs more memory than is allowed") from error
    except Exception as error:  # Decoders raise whatever they like at bytes that make no sense to them.
        name = TRANSFER_SYNTAXES[transfer_syntax_uid].name
        raise _broken(f"the decoder for {name} says: {error}") from error


def _decoded(data: bytes, layout: Layout, transfer_syntax_uid: str, as_rgb: bool) -> Frame:
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid)
    if syntax is None:
        raise NotSupported(f"The transfer syntax {transfer_syntax_uid} is not known here.")
    if not syntax.encapsulated or transfer_syntax_uid == ENCAPSULATED_UNCOMPRESSED:
        return _native(data, layout)
    if transfer_syntax_uid == DEFLATED_IMAGE_FRAME:
        return _native(zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, layout.frame_bytes), layout)
    if transfer_syntax_uid == RLE_LOSSLESS:
        return _rle(data, layout)
    if transfer_syntax_uid not in _CODESTREAMS:
        raise NotSupported(f"{syntax.name} is not decoded here. Download the object as it is stored.")
    head = _head(data, layout)
    if head.process in _LOSSY_JPEG:
        return _jpeg(data, layout, head, as_rgb)
    pixels = _with_sign(_DECODERS[head.process](data), head.precision, layout.is_signed)
    photometric = "RGB" if layout.photometric_interpretation in _UNDONE else layout.photometric_interpretation
    # Nothing but JPEG subsamples: what calls itself YBR_FULL_422 has all its samples here.
    return Frame(pixels, "YBR_FULL" if photometric == "YBR_FULL_422" else photometric, head.precision)


def _head(data: bytes, layout: Layout) -> Codestream:
    head = read_codestream(data)
    if head is None:
        raise _broken("the frame does not begin as a codestream of its transfer syntax must")
    if (head.rows, head.columns) != (layout.rows, layout.columns):
        raise _broken(
            f"the codestream is an image of {head.columns} x {head.rows} pixels, "
            f"the attributes say {layout.columns} x {layout.rows}"
        )
    if head.components != layout.samples_per_pixel:
        raise _broken(f"the codestream has {head.components} components, the attributes {layout.samples_per_pixel}")
    return head


# --- Uncompressed -----------------------------------------------------------------------------------------------------


def _native(data: bytes, layout: Layout) -> Frame:
    if len(data) < layout.frame_bytes:
        raise _broken(f"a frame needs {layout.frame_bytes} bytes, and there are {len(data)}")
    shape = (layout.rows, layout.columns)
    if layout.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=layout.rows * layout.columns)
        return Frame(bits.reshape(shape), layout.photometric_interpretation, 1)
    size = layout.bits_allocated // 8
    kind = "f" if layout.is_float else "i" if layout.is_signed else "u"
    samples = np.frombuffer(data, f"<{kind}{size}", layout.frame_bytes // size)
    if layout.photometric_interpretation == "YBR_FULL_422":
        return Frame(_unshared(samples).reshape(*shape, 3), "YBR_FULL", layout.bits_stored)
    if layout.samples_per_pixel == 1:
        pixels = samples.reshape(shape)
    elif layout.planar_configuration == 1:
        pixels = samples.reshape(-1, *shape).transpose(1, 2, 0)
    else:
        pixels = samples.reshape(*shape, -1)
    return Frame(pixels, layout.photometric_interpretation, layout.bits_stored)


def _unshared(samples: Array) -> Array:
    """Two luminances and the chrominance they share, as two pixels (PS3.3 C.7.6.3.1.2)."""
    pairs = samples.reshape(-1, 4)
    pixels = np.empty((len(pairs), 2, 3), samples.dtype)
    pixels[:, :, 0] = pairs[:, :2]
    pixels[:, :, 1:] = pairs[:, None, 2:]
    return pixels


# --- Compressed -------------------------------------------------------------------------------------------------------


def _codecs() -> Any:
    """Imported where it is used: it is large, and the doors decode nothing."""
    try:
        import imagecodecs
    except ImportError as error:
        raise NotSupported(
            "The decoder (imagecodecs) is not installed. Download the object as it is stored."
        ) from error
    return imagecodecs


def _rle(data: bytes, layout: Layout) -> Frame:
    """Segments of bytes, the most significant of the first sample first (PS3.5 G.3): always planar."""
    full = replace(layout, planar_configuration=1)
    if layout.photometric_interpretation == "YBR_FULL_422":
        full = replace(full, photometric_interpretation="YBR_FULL")
    samples = bytearray(full.frame_bytes)
    dtype = np.dtype(f"<u{max(full.bits_allocated // 8, 1)}")
    _codecs().dicomrle_decode(data, dtype, out=samples)
    return _native(bytes(samples), full)


def _jpeg(data: bytes, layout: Layout, head: Codestream, as_rgb: bool) -> Frame:
    """Lossy JPEG of 8 or 12 bits. What it holds it says itself, else the attributes do."""
    photometric = layout.photometric_interpretation
    if head.components == 1:
        pixels = _codecs().jpeg8_decode(data)
        return Frame(_with_sign(pixels, head.precision, layout.is_signed), photometric, head.precision)
    is_ybr = photometric != "RGB" if head.is_ybr is None else head.is_ybr
    stored = "YCBCR" if is_ybr else "RGB"
    wanted = "RGB" if as_rgb else stored
    pixels = _codecs().jpeg8_decode(data, colorspace=stored, outcolorspace=wanted)
    kept = photometric if photometric in _YBR else "YBR_FULL"
    return Frame(pixels, "RGB" if wanted == "RGB" else kept, head.precision)


#: By what the codestream is: some objects name another of the JPEG transfer syntaxes than they hold.
_DECODERS: Final[dict[int, Callable[[bytes], Array]]] = {
    0x00: lambda data: _codecs().jpeg2k_decode(data),
    0xC3: lambda data: _codecs().jpegsof3_decode(data),
    0xF7: lambda data: _codecs().jpegls_decode(_ended(data)),
}
_END_OF_IMAGE = b"\xff\xd9"
_PADDING = 64


def _ended(data: bytes) -> bytes:
    """The stream with an end: at one that is cut off, the decoder looks for it for seconds."""
    return data if _END_OF_IMAGE in data[-_PADDING:] else data + _END_OF_IMAGE


def can_decode(transfer_syntax_uid: str) -> bool:
    """Whether there is a decoder for the frames of a transfer syntax."""
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid)
    known = _CODESTREAMS | {RLE_LOSSLESS, DEFLATED_IMAGE_FRAME, ENCAPSULATED_UNCOMPRESSED}
    return syntax is not None and (not syntax.encapsulated or transfer_syntax_uid in known)


def without_unused_bits(frame: Frame, layout: Layout) -> Array:
    """The values alone: what lies beside Bits Stored, such as overlays, is no part of them (PS3.5 8.1.1)."""
    pixels = frame.pixels
    size = pixels.itemsize * 8
    if layout.is_float or frame.bits_stored >= size or pixels.dtype.kind == "f":
        return pixels
    below = layout.high_bit + 1 - layout.bits_stored if frame.bits_stored == layout.bits_stored else 0
    return pixels << (size - frame.bits_stored - max(below, 0)) >> (size - frame.bits_stored)


def _with_sign(pixels: Array, precision: int, is_signed: bool) -> Array:
    """Samples whose sign is that of Pixel Representation, whatever the codestream says of it."""
    unsigned = pixels.view(f"u{pixels.itemsize}")
    unused = pixels.itemsize * 8 - precision
    if not is_signed:
        return unsigned if pixels.dtype.kind == "u" or not unused else unsigned & ((1 << precision) - 1)
    signed = unsigned.view(f"i{pixels.itemsize}")
    return signed if not unused else signed << unused >> unused


# --- Colour -----------------------------------------------------------------------------------------------------------


def _in_rgb(frame: Frame) -> Frame:
    pixels = np.ascontiguousarray(frame.pixels)
    if pixels.dtype == np.uint8:
        image = Image.frombytes("YCbCr", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
        return Frame(np.asarray(image.convert("RGB")), "RGB", frame.bits_stored)
    middle, most = 1 << (frame.bits_stored - 1), (1 << frame.bits_stored) - 1
    colour = (pixels - np.array([0.0, middle, middle])) @ _TO_RGB
    return Frame(np.clip(np.rint(colour), 0, most).astype(pixels.dtype), "RGB", frame.bits_stored)


def _broken(reason: str) -> Unprocessable:
    return Unprocessable(f"The pixel data cannot be decoded: {reason}.", dimse_status=PROCESSING_FAILURE)
