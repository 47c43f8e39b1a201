"""How patients prepare for what the catalogue does not know, guessed by its words. Pure."""

import re
from typing import Final

#: Modality, and a beginning of a word of the procedure, `contrast`, or nothing for all others -> what is prepared. The
#: first line that fits counts.
_RULES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("US", "transvaginal", ("P11",)),
    ("US", "tvs", ("P11",)),
    ("US", "abdomen", ("P4",)),
    ("US", "hepatobiliary", ("P2",)),
    ("US", "kub", ("P3",)),
    ("US", "pelvi", ("P3",)),
    ("US", "", ("P0",)),
    ("CT", "contrast", ("P6", "PG")),
    ("CT", "angio", ("P6", "PG")),
    ("CT", "kub", ("P3", "PG")),
    ("CT", "head", ("P13", "PG")),
    ("CT", "brain", ("P13", "PG")),
    ("CT", "", ("P1", "PG")),
    ("MR", "mrcp", ("P5", "P2")),
    ("MR", "contrast", ("P5", "P6")),
    ("MR", "", ("P5",)),
    ("MG", "", ("P7", "PG")),
    ("RF", "enema", ("P9", "PG")),
    ("RF", "barium", ("P10", "PG")),
    ("RF", "urogram", ("P9", "P6", "PG")),
    ("RF", "ivu", ("P9", "P6", "PG")),
    ("RF", "mcug", ("P12", "PG")),
    ("RF", "micturating", ("P12", "PG")),
    ("RF", "hsg", ("P8",)),
    ("RF", "hysterosalpingo", ("P8",)),
    ("RF", "", ("PG",)),
    ("PX", "", ("P13", "PG")),
    ("BMD", "", ("P14", "PG")),
    ("NM", "", ("P3", "PG")),
    ("PT", "", ("P2", "PG")),
    ("", "", ("P1", "PG")),
)
_WORDS: Final = re.compile(r"[a-z]+")


def preparations_of(modality: str, procedure: str, *, contrast: bool) -> tuple[str, ...]:
    """What an examination asks for where nobody has said otherwise, by codes of `procedures.preparations`."""
    words = [*_WORDS.findall(procedure.casefold()), *(["contrast"] if contrast else [])]
    if "without" in words and not contrast:
        words = [word for word in words if word != "contrast"]
    return next(
        codes
        for kind, beginning, codes in _RULES
        if kind in ("", modality) and (not beginning or any(word.startswith(beginning) for word in words))
    )
