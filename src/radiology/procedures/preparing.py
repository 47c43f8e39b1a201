"""The sheet that tells a patient on paper how to prepare. Pure."""

import html
from collections.abc import Iterable

from radiology.procedures.model import Procedure
from radiology.procedures.preparations import instructions
from radiology.standards.dicom.bangla import bangla_digits


def sheet_of(procedure: Procedure) -> tuple[dict[str, str], str]:
    """The values and the markup of the page: what to do in Bangla first, then in English."""
    told = instructions(procedure)
    values = {
        "name": procedure.display,
        "name_bn": procedure.display_bangla,
        "minutes": str(procedure.minutes),
        "minutes_bn": bangla_digits(str(procedure.minutes)),
    }
    bangla = _list((each.bangla for each in told), "bn")
    return values, bangla + _list((each.english for each in told), "en")


def _list(sentences: Iterable[str], language: str) -> str:
    items = "".join(f"<li>{html.escape(part)}</li>" for each in sentences for part in _parts(each))
    return f'<ul class="prepare" lang="{language}">{items}</ul>'


def _parts(sentence: str) -> list[str]:
    """Sentences of several halves are read one by one."""
    return [part[:1].upper() + part[1:] for part in sentence.split("; ")]
