"""What is answered to a message that cannot be used: the code of table 0357 for each of our refusals. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from radiology.errors import Conflict, Invalid, NotFound, RadiologyError, TransitionRefused, Unprocessable
from radiology.standards.hl7v2.acknowledgement import Answer, Verdict
from radiology.standards.hl7v2.errors import Code, HL7Error, Place

NO_HANDLER: Final = frozenset({Code.UNSUPPORTED_MESSAGE_TYPE, Code.UNSUPPORTED_EVENT})
_REJECTED: Final = NO_HANDLER | {Code.UNSUPPORTED_VERSION, Code.UNSUPPORTED_PROCESSING_ID}
_CODES: Final[Mapping[type[RadiologyError], Code]] = {
    NotFound: Code.UNKNOWN_KEY,
    TransitionRefused: Code.INTERNAL_ERROR,
    Conflict: Code.DUPLICATE_KEY,
    Unprocessable: Code.DATA_TYPE,
    Invalid: Code.DATA_TYPE,
}

#: Where in a message the fields of our own schemas come from.
_PLACES: Final[Mapping[str, Place]] = {
    "patient.id": Place("PID", field=3),
    "patient.identifiers": Place("PID", field=3),
    "patient.name": Place("PID", field=5),
    "patient.nameBangla": Place("PID", field=5),
    "patient.birthDate": Place("PID", field=7),
    "patient.sex": Place("PID", field=8),
    "patient": Place("PID"),
    "placerNumber": Place("ORC", field=2),
    "placer": Place("ORC", field=2, component=2),
    "accessionNumber": Place("IPC", field=1),
    "occurrence": Place("TQ1", field=7),
    "authoredOn": Place("ORC", field=9),
    "requester": Place("ORC", field=12),
    "requestingService": Place("ORC", field=17),
    "reasonCode": Place("OBR", field=31),
    "reason": Place("OBR", field=13),
    "safety": Place("OBX", field=5),
    "note": Place("NTE", field=3),
    "procedures.modality": Place("IPC", field=5),
    "procedures.code": Place("OBR", field=4),
    "procedures.stationAETitles": Place("IPC", field=9),
    "procedures.studyInstanceUID": Place("ZDS", field=1),
    "procedures.requestedProcedureId": Place("IPC", field=2),
    "procedures": Place("OBR"),
}


def answer_to(error: HL7Error | RadiologyError) -> Answer:
    """What is answered where this was raised."""
    if isinstance(error, HL7Error):
        return Answer.of_error(error, Verdict.REJECTED if error.code in _REJECTED else Verdict.ERROR)
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), Code.INTERNAL_ERROR)
    place = next((found for each in error.fields if (found := place_of(each.field)) is not None), None)
    return Answer(Verdict.ERROR, error.sentence, code, place)


def place_of(field: str) -> Place | None:
    """Where in a message a field of ours stands, as `procedures.0.modality`."""
    name = ".".join(part for part in field.split(".") if not part.isdigit())
    return next((place for known, place in _PLACES.items() if name == known or name.startswith(f"{known}.")), None)


def of_validation(error: ValidationError) -> HL7Error:
    """What is wrong with a message whose values our own schema refuses."""
    first: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    place, said = place_of(field), str(first["msg"]).removeprefix("Value error, ")
    return HL7Error(Code.DATA_TYPE, f"{place or field} cannot be used: {said}.", place)
