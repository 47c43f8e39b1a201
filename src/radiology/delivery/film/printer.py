"""Basic Grayscale Print Management SCU (PS3.4 annex H): session, film box, image boxes, print."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from radiology.delivery.film.model import Film
from radiology.delivery.film.picture import Grey
from radiology.dicom_network.client import Requestor
from radiology.dicom_network.message import Command, CommandField, Element, Response
from radiology.standards.dicom import data_set
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.data_set import element_head
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

META: Final = "1.2.840.10008.5.1.1.9"
FILM_SESSION: Final = "1.2.840.10008.5.1.1.1"
FILM_BOX: Final = "1.2.840.10008.5.1.1.2"
GRAYSCALE_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4"
PRINTER: Final = "1.2.840.10008.5.1.1.16"
PRINTER_INSTANCE: Final = "1.2.840.10008.5.1.1.17"
CONTEXTS: Final = ((META, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)),)
PRINT_ACTION: Final = 1

#: Statuses of print services with the sentence for the person who prints (PS3.4 H.4).
SENTENCES: Final[Mapping[int, str]] = {
    0x0105: "The printer does not know one of the attributes.",
    0x0106: "The printer does not take one of the values. Choose another film size, medium or layout.",
    0x0107: "The printer does not know one of the attributes, and went on without it.",
    0x0116: "The printer took another value in place of one of ours.",
    0x0213: "The printer has no memory left for this film. Choose a coarser resolution or fewer images.",
    0xB600: "The printer cannot keep films in memory.",
    0xB601: "The printer cannot print several films at once.",
    0xB602: "The printer holds an empty film box.",
    0xB603: "The printer holds an empty film box.",
    0xB604: "The printer made the image smaller than it was sent.",
    0xB605: "The printer changed the densities.",
    0xB609: "The printer cropped the image.",
    0xB60A: "The printer made the image smaller than it was sent.",
    0xC600: "The printer holds no film box to print.",
    0xC601: "The printer cannot take the film: its queue is full.",
    0xC602: "The printer cannot take the film: its queue is full.",
    0xC603: "The image is larger than its place on the film.",
    0xC605: "The printer has no memory left for the image. Choose a coarser resolution.",
    0xC613: "The images together are larger than the film.",
    0xC616: "A film box waits already and must be printed first.",
}


class PrintRefusedError(Exception):
    """The printer refused a step; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class PrinterState:
    """What the printer says of itself (PS3.3 C.13.9)."""

    status: str
    information: str
    name: str


def state_of(association: Requestor) -> PrinterState:
    """Ask the printer how it is (N-GET, PS3.4 H.4.6). Raises PrintRefusedError, AssociationEndedError."""
    answer = _ask(association, CommandField.N_GET_RQ, _requested(PRINTER, PRINTER_INSTANCE), None, "its status")[1]
    return PrinterState(text_of(answer, "21100010"), text_of(answer, "21100020"), text_of(answer, "21100030"))


def print_sheets(
    association: Requestor, film: Film, sheets: Iterator[Sequence[Grey]], label: str, printed: Callable[[], None]
) -> list[str]:
    """Print each sheet, and call `printed` once the printer has taken it. Returns what it warned of.

    The association ends the session where we do not: what was not printed by then is forgotten by the printer.
    Raises PrintRefusedError, AssociationEndedError.
    """
    association.on_event_report = lambda _event, _data: Response()  # The printer tells of its state; we ask for it.
    warnings: list[str] = []
    session = _create_session(association, film, label, warnings)
    for cells in sheets:
        box, places = _create_film_box(association, film, session, warnings)
        if len(places) < len(cells):
            raise PrintRefusedError(
                f"The printer gave {len(places)} places on a film of {film.cells}. Choose another layout."
            )
        for number, (place, grey) in enumerate(zip(places, cells, strict=False), 1):
            _set_image(association, place, number, grey, warnings)
        action = _requested(FILM_BOX, box) | {Element.ACTION_TYPE_ID: PRINT_ACTION}
        _ask(association, CommandField.N_ACTION_RQ, action, None, "the film", warnings)
        printed()
        _ask(association, CommandField.N_DELETE_RQ, _requested(FILM_BOX, box), None, "the end of a film", warnings)
    _ask(association, CommandField.N_DELETE_RQ, _requested(FILM_SESSION, session), None, "the end", warnings)
    return list(dict.fromkeys(warnings))


def _create_session(association: Requestor, film: Film, label: str, warnings: list[str]) -> str:
    attributes = {
        "20000010": _value("IS", film.copies),
        "20000020": _value("CS", "MED"),
        "20000030": _value("CS", film.medium_type),
        "20000040": _value("CS", film.destination),
        "20000050": _value("LO", label[:64]),
    }
    created: dict[int, Any] = {Element.AFFECTED_SOP_CLASS_UID: FILM_SESSION}
    response, _ = _ask(association, CommandField.N_CREATE_RQ, created, attributes, "the session", warnings)
    return response.text(Element.AFFECTED_SOP_INSTANCE_UID)


def _create_film_box(
    association: Requestor, film: Film, session: str, warnings: list[str]
) -> tuple[str, list[tuple[str, str]]]:
    """A film of our layout: its UID, and SOP class and instance of each place on it."""
    attributes = {
        "20100010": _value("ST", film.display_format),
        "20100040": _value("CS", film.orientation),
        "20100050": _value("CS", film.size_id),
        "20100060": _value("CS", "CUBIC"),
        "20100500": {"vr": "SQ", "Value": [_reference(FILM_SESSION, session)]},
    }
    created: dict[int, Any] = {Element.AFFECTED_SOP_CLASS_UID: FILM_BOX}
    response, answer = _ask(association, CommandField.N_CREATE_RQ, created, attributes, "the layout", warnings)
    items = answer.get("20100510", {}).get("Value", [])
    places = [(text_of(item, "00081150") or GRAYSCALE_IMAGE_BOX, text_of(item, "00081155")) for item in items]
    return response.text(Element.AFFECTED_SOP_INSTANCE_UID), places


def _set_image(association: Requestor, place: tuple[str, str], number: int, grey: Grey, warnings: list[str]) -> None:
    """Put one image into its place (PS3.3 C.13.5), eight bits, P-values of MONOCHROME2."""
    image = {
        "00280002": _value("US", 1),
        "00280004": _value("CS", "MONOCHROME2"),
        "00280010": _value("US", grey.shape[0]),
        "00280011": _value("US", grey.shape[1]),
        "00280034": {"vr": "IS", "Value": [1, 1]},
        "00280100": _value("US", 8),
        "00280101": _value("US", 8),
        "00280102": _value("US", 7),
        "00280103": _value("US", 0),
    }
    syntax = _syntax(association)
    implicit = data_set.is_implicit(syntax)
    pixels = grey.tobytes() + b"\0" * (grey.size % 2)
    head, length = element_head("7FE00010", "OW", implicit=implicit)
    item = data_set.encode(image, syntax) + head + length.pack(len(pixels)) + pixels
    sequence_head, sequence_length = element_head("20200110", "SQ", implicit=implicit)
    body = b"".join((
        data_set.encode({"20200010": _value("US", number)}, syntax),
        sequence_head, sequence_length.pack(len(item) + 8),
        b"\xfe\xff\x00\xe0", len(item).to_bytes(4, "little"), item,
    ))  # fmt: skip
    _ask(association, CommandField.N_SET_RQ, _requested(*place), body, f"image {number}", warnings)


def _ask(
    association: Requestor,
    field: int,
    elements: Mapping[int, Any],
    attributes: Mapping[str, Any] | bytes | None,
    what: str,
    warnings: list[str] | None = None,
) -> tuple[Command, dict[str, Any]]:
    """One step; what the printer answers. Raises PrintRefusedError for a failure; a warning is noted."""
    syntax = _syntax(association)
    body = data_set.encode(attributes, syntax) if isinstance(attributes, Mapping) else attributes
    response, answer = association.request_once(META, field, elements, body)
    if response.status:
        sentence = SENTENCES.get(response.status) or f"The printer answered {response.status:04X}."
        if response.error_comment:
            sentence += f" It said: {response.error_comment}"
        if response.status >> 12 != 0xB and response.status not in {0x0107, 0x0116}:
            raise PrintRefusedError(f"Printing stopped at {what}. {sentence}")
        if warnings is not None:
            warnings.append(sentence)
    return response, data_set.decode(answer, syntax) if answer else {}


def _syntax(association: Requestor) -> str:
    context = association.context_for(META)
    if context is None:
        raise PrintRefusedError("The printer does not offer Basic Grayscale Print Management. Is this the right AE?")
    return context.transfer_syntax_uid


def _requested(sop_class_uid: str, sop_instance_uid: str) -> dict[int, Any]:
    return {Element.REQUESTED_SOP_CLASS_UID: sop_class_uid, Element.REQUESTED_SOP_INSTANCE_UID: sop_instance_uid}


def _reference(sop_class_uid: str, sop_instance_uid: str) -> dict[str, Any]:
    return {"00081150": _value("UI", sop_class_uid), "00081155": _value("UI", sop_instance_uid)}


def _value(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
