"""Which of several actions it is: that which leaves the object valid (PS3.15 table E.1-1a).

X/Z/D means: remove what the object's definition leaves optional, empty what it wants present, replace what it wants to
have a value. Where the definition is not known here, the last of them is taken: it is valid for all.
"""

from typing import Final

_ENHANCED: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{end}"
    for end in ("2.1", "2.2", "4.1", "4.3", "4.4", "6.2", "12.1.1", "12.2.1", "13.1.1", "13.1.2", "13.1.3", "13.1.4",
                "13.1.5", "30", "66.4", "66.7", "77.1.5.4", "77.1.6", "91.1", "128.1",
                "130")
)  # fmt: skip
"""Those with the Enhanced General Equipment module, which wants Device Serial Number (PS3.3 C.7.5.2)."""

#: Optional (type 3) in every object that is not of `_ENHANCED`: PS3.3 C.7.3.1, C.7.5.1, C.7.6.1, C.12.1, 10.6.
_OPTIONAL: Final = frozenset({
    0x00080012, 0x00080013, 0x00080021, 0x00080022, 0x0008002A, 0x00080031, 0x00080032, 0x00080080, 0x00080082,
    0x00081010, 0x00081070, 0x00081072, 0x00081110, 0x00081111, 0x00181000, 0x00181030, 0x00181400, 0x0018700A,
    0x0018700C, 0x0018700E, 0x00102203, 0x22000002, 0x22000005,
})  # fmt: skip
#: The same in those, too.
_ALWAYS_OPTIONAL: Final = _OPTIONAL - {0x0008002A, 0x00181000}
#: What reports and key object selections (PS3.3 C.17.1, C.17.6.1) want, and radiotherapy (C.8.8.1).
_WANTED: Final = {"1.2.840.10008.5.1.4.1.1.88.": 0x00081111, "1.2.840.10008.5.1.4.1.1.481.": 0x00081070}


def resolved(action: str, tag: int, sop_class_uid: str) -> str:
    """One action of those that are joined by slashes."""
    first, *others = action.replace("*", "").split("/")
    if not others:
        return first
    optional = _ALWAYS_OPTIONAL if sop_class_uid in _ENHANCED else _OPTIONAL
    is_wanted = any(tag == wanted and sop_class_uid.startswith(root) for root, wanted in _WANTED.items())
    return "X" if first == "X" and tag in optional and not is_wanted else others[-1]
