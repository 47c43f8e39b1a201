"""Studies to be found, and a requestor that asks for them."""

import itertools
from collections.abc import Sequence
from typing import Any

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

import make
from node import Node
from requestor import requestor

STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
PENDING, PENDING_WARNING = 0xFF00, 0xFF01

_numbers = itertools.count(1)


def store(node: Node, **attributes: Any) -> Dataset:
    """A study of one image with these attributes."""
    stored = node.wait(make.a_study(node.app, **attributes))
    return stored.objects[0]


def identifier(level: str, **keys: Any) -> Dataset:
    """An identifier with keys by keyword; an empty value asks for the attribute's return."""
    asked = Dataset()
    with disable_value_validation():  # Some ask for what is no value.
        for keyword, value in {"QueryRetrieveLevel": level, **keys}.items():
            setattr(asked, keyword, value)
    return asked


def ask(
    node: Node, asked: Dataset, *, model: str = STUDY_ROOT, extended: bytes | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
) -> list[tuple[int, Dataset | None]]:  # fmt: skip
    """Every response: its status and identifier."""
    negotiation = []
    if extended is not None:
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid, item.service_class_application_information = model, extended
        negotiation = [item]
    with requestor(node, [(model, transfer_syntax)], ext_neg=negotiation) as association:
        return [(status.Status, found) for status, found in association.send_c_find(asked, model)]


def found(node: Node, asked: Dataset, **how: Any) -> list[Dataset]:
    """The identifiers of the matches; the query must end with success."""
    *pending, (last, _) = ask(node, asked, **how)
    assert last == 0, f"{last:04X}"
    assert all(status in (PENDING, PENDING_WARNING) for status, _ in pending)
    return [answer for _, answer in pending if answer is not None]


def values(answers: Sequence[Dataset], keyword: str) -> list[str]:
    """One attribute of all answers, sorted."""
    return sorted(str(answer[keyword].value or "") for answer in answers)
