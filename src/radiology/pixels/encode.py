"""Pictures for a browser: JPEG, PNG, and GIF where they move."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms

from radiology.errors import NotSupported
from radiology.pixels.decode import Array

JPEG, PNG, GIF = "image/jpeg", "image/png", "image/gif"
MEDIA_TYPES: Final = (JPEG, PNG, GIF)
#: Longer sides do not fit into a JPEG.
LONGEST_JPEG_SIDE = 65_500


def encoded(pictures: Sequence[Array], media_type: str, quality: int, milliseconds: int) -> bytes:
    """Eight bits of grey, or of red, green and blue. `milliseconds` is how long each of several is shown."""
    if media_type == GIF:
        return _gif(pictures, milliseconds)
    return _jpeg(pictures[0], quality) if media_type == JPEG else _png(pictures[0])


def with_profile(picture: Array, media_type: str, quality: int) -> bytes:
    """One picture that says of itself that its colours are those of sRGB (IEC 61966-2-1), by an ICC profile in it."""
    if media_type == GIF:
        raise NotSupported("A GIF has no profile. Ask for image/jpeg or image/png, or leave iccprofile out.")
    colours: Any = ImageCms
    profile = colours.ImageCmsProfile(colours.createProfile("sRGB"))
    out = BytesIO()
    image = Image.fromarray(picture).convert("RGB")
    image.save(out, "JPEG" if media_type == JPEG else "PNG", quality=quality, icc_profile=profile.tobytes())
    return out.getvalue()


def _codecs() -> Any:
    """Imported where it is used: it is large, and the doors encode nothing. None where it is not installed."""
    try:
        import imagecodecs
    except ImportError:
        return None
    return imagecodecs


def _jpeg(picture: Array, quality: int) -> bytes:
    if max(picture.shape[:2]) > LONGEST_JPEG_SIDE:
        raise NotSupported("This image is too long for a JPEG. Ask for a viewport, or for image/png.")
    codecs: Any = _codecs()
    if codecs is None:
        out = BytesIO()
        Image.fromarray(picture).save(out, "JPEG", quality=quality)
        return out.getvalue()
    return bytes(codecs.jpeg8_encode(np.ascontiguousarray(picture), level=quality))


def _png(picture: Array) -> bytes:
    codecs: Any = _codecs()
    if codecs is None:
        out = BytesIO()
        Image.fromarray(picture).save(out, "PNG", compress_level=1)
        return out.getvalue()
    return bytes(codecs.png_encode(np.ascontiguousarray(picture), level=1))


def _gif(pictures: Sequence[Array], milliseconds: int) -> bytes:
    first, *others = (Image.fromarray(picture) for picture in pictures)
    out = BytesIO()
    moving: dict[str, Any] = {"save_all": True, "append_images": others, "duration": milliseconds, "loop": 0}
    first.save(out, "GIF", **(moving if others else {}))
    return out.getvalue()
