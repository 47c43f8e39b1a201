"""Groups of attributes that several modalities share."""

from typing import Any

from radiology.samples.model import Attributes


def code(value: str, scheme: str, meaning: str) -> list[Attributes]:
    """A coded entry as a sequence of one item (PS3.3 8.8)."""
    return [{"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}]


def window(*windows: tuple[float, float, str]) -> dict[str, Any]:
    """The VOI windows (PS3.3 C.11.2.1.2) as (centre, width, name), the preferred one first."""
    return {
        "WindowCenter": [centre for centre, _, _ in windows],
        "WindowWidth": [width for _, width, _ in windows],
        "WindowCenterWidthExplanation": [name for _, _, name in windows],
    }


def cine(frame_ms: float) -> dict[str, Any]:
    """The cine module (PS3.3 C.7.6.5): frames follow each other after `frame_ms`."""
    return {"FrameTime": frame_ms, "FrameIncrementPointer": 0x00181063, "CineRate": round(1000 / frame_ms)}
