"""One frame of pixels as a codestream of lossless compression (PS3.5 8.2, A.4). For a process with limits."""

from typing import Any, Final

import numpy as np
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

from radiology.errors import NotSupported
from radiology.pixels.decode import Array, Layout
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES

JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
HTJ2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL: Final = "1.2.840.10008.1.2.4.202"
BITS_ALLOCATED: Final = (8, 16)
#: With RPCL options the smallest picture in a codestream has no longer side (PS3.5 10.18).
SMALLEST_SIDE: Final = 64
_MOST_RESOLUTIONS: Final = 16
#: Of JPEG 2000, where nothing asks for more: five decompositions, as encoders make by default.
_RESOLUTIONS: Final = 6
#: From the marker of SIZ: the number of components, and the depth of the first (ISO/IEC 15444-1 A.5.1).
_SIZ, _DEPTH, _DEPTH_STEP = b"\xff\x51", 40, 3


def check(layout: Layout, transfer_syntax_uid: str) -> None:
    """Raises NotSupported for images that these syntaxes do not hold as they are."""
    if layout.bits_allocated not in BITS_ALLOCATED or layout.photometric_interpretation == "YBR_FULL_422":
        name = TRANSFER_SYNTAXES[transfer_syntax_uid].name
        raise NotSupported(f"An image of this kind is not compressed as {name}; take it as it is stored.")


def encode(pixels: Array, layout: Layout, transfer_syntax_uid: str) -> bytes:
    """The codestream of one frame, without padding. No component transformation is made, so colours stay what they are.

    Raises NotSupported where the encoder is not installed.
    """
    samples = np.ascontiguousarray(pixels)
    bits = _precision(samples, layout)
    if transfer_syntax_uid in (HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL):
        return _htj2k(samples, bits, layout.is_signed)
    if transfer_syntax_uid == JPEG_2000_LOSSLESS:
        return _jpeg_2000(samples, bits)
    encoded = get_encoder(UID(transfer_syntax_uid)).encode(
        samples,
        rows=layout.rows,
        columns=layout.columns,
        number_of_frames=1,
        samples_per_pixel=layout.samples_per_pixel,
        photometric_interpretation=layout.photometric_interpretation,
        bits_allocated=samples.itemsize * 8,
        bits_stored=bits,
        pixel_representation=int(layout.is_signed),
        planar_configuration=0,
    )
    return bytes(encoded)


def has_unused_bits(pixels: Array, layout: Layout) -> bool:
    """Whether something lies in bits beside the values, such as an overlay (PS3.5 8.1.1)."""
    return _precision(pixels, layout) != layout.bits_stored


def _precision(samples: Array, layout: Layout) -> int:
    """Bits Stored (0028,0101), or all bits where something lies beside them, such as an overlay."""
    bits = layout.bits_stored
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if layout.is_signed else (0, (1 << bits) - 1)
    return bits if least <= samples.min() and samples.max() <= most else samples.itemsize * 8


def _codecs() -> Any:
    """Loaded where it is used: it is large, and the doors encode nothing."""
    try:
        import imagecodecs
    except ImportError as error:
        raise NotSupported("The encoder (imagecodecs) is not installed; take it as it is stored.") from error
    return imagecodecs


def _jpeg_2000(samples: Array, bits: int) -> bytes:
    # Fewer where an image has no pixels for them.
    resolutions = min(max(min(samples.shape[:2]).bit_length(), 1), _RESOLUTIONS)
    return bytes(
        _codecs().jpeg2k_encode(
            samples, level=0, codecformat="j2k", reversible=True, mct=False, bitspersample=bits, resolutions=resolutions
        )
    )


def _htj2k(samples: Array, bits: int, is_signed: bool) -> bytes:
    """HTJ2K in the order RPCL with lengths of tile-parts: its beginning is a small picture already (PS3.5 10.18)."""
    codecs = _codecs()
    whole = samples.itemsize * 8
    if bits < whole:
        # The encoder takes the precision from the type of the array. Samples without a sign are centred here and not by
        # it, as their own precision wants it (ISO/IEC 15444-1 G.1.2); then the codestream may say what they are.
        middle = 0 if is_signed else 1 << bits - 1
        samples = (samples.astype(np.int32) - middle).astype(f"i{samples.itemsize}")
    stream = bytearray(
        codecs.htj2k_encode(
            samples,
            reversible=True,
            rgb=False,
            planar=False,
            resolutions=_resolutions(samples.shape),
            tlm=True,
            tilepart=codecs.HTJ2K.TILEPART.RESOLUTIONS,
        )
    )
    if bits < whole:
        siz = stream.index(_SIZ)
        components = int.from_bytes(stream[siz + _DEPTH - 2 : siz + _DEPTH])
        for component in range(components):
            stream[siz + _DEPTH + _DEPTH_STEP * component] = (0x80 if is_signed else 0) | bits - 1
    return bytes(stream)


def _resolutions(shape: tuple[int, ...]) -> int:
    longest = max(shape[:2])
    return next((number for number in range(1, _MOST_RESOLUTIONS) if -(-longest >> number) <= SMALLEST_SIDE), 1)
