"""The decoders that pydicom does not bring: JPEG of 12 bits and lossless JPEG (PS3.5 A.4.1, A.4.2), by imagecodecs."""

import importlib.util
from functools import cache
from typing import Any, Final

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

#: pydicom shows these where a decoder is missing.
DECODER_DEPENDENCIES: Final = dict.fromkeys((JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1), ("imagecodecs",))


@cache
def register() -> None:
    """Make them known to pydicom, once in a process."""
    for uid in DECODER_DEPENDENCIES:
        get_decoder(uid).add_plugin("imagecodecs", (__name__, "decode_frame"))


def is_available(uid: UID) -> bool:
    """Whether the decoder for a transfer syntax can be used; asked by pydicom."""
    return uid in DECODER_DEPENDENCIES and importlib.util.find_spec("imagecodecs") is not None


def decode_frame(source: bytes, runner: Any) -> bytes:
    """One frame, pixel by pixel; called by pydicom."""
    import imagecodecs  # Loaded where it is used: it is large, and most processes decode nothing.

    lossless = runner.transfer_syntax in (JPEGLossless, JPEGLosslessSV1)
    image: Any = imagecodecs.jpegsof3_decode(source) if lossless else imagecodecs.jpeg8_decode(source)
    runner.set_option("bits_allocated", image.dtype.itemsize * 8)
    if image.ndim == 3:
        runner.set_option("planar_configuration", 0)
    return image.tobytes()
