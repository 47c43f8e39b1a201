"""Ask another archive: C-FIND as SCU (PS3.4 C.4.1.2), or search by DICOMweb. All of it blocks: for a thread."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from radiology.application_entities import web
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.client import ContextNotAcceptedError
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import Invalid, PeerFailed
from radiology.settings import Settings
from radiology.standards.dicom import data_set
from radiology.standards.dicom.attributes import UnknownAttributeError, tag_of
from radiology.standards.dicom.names import PersonName
from radiology.standards.dicom.uids import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
)

LEVEL: Final = "00080052"
#: What is asked for beside the keys, by level: what people look for an exam by.
RETURNED: Final[Mapping[str, tuple[str, ...]]] = {
    "PATIENT": ("00100010", "00100020", "00100030", "00100040"),
    "STUDY": ("00080020", "00080030", "00080050", "00080061", "00081030", "00100010", "00100020", "00100030",
              "00100040", "0020000D", "00200010", "00201206", "00201208"),
    "SERIES": ("00080060", "0008103E", "0020000D", "0020000E", "00200011", "00201209"),
    "IMAGE": ("00080016", "00080018", "0020000D", "0020000E", "00200013"),
}  # fmt: skip
_BINARY: Final = frozenset({"US", "SS", "UL", "SL", "FL", "FD"})


def ask(
    settings: Settings, entity: ApplicationEntity, level: str, keys: Iterable[tuple[str, str]], *, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """What another archive finds at a level, in the DICOM JSON model, and whether that is all.

    `keys` are attributes by keyword or tag, with the text to match. After `limit` answers the query is cancelled.
    Raises Invalid for a key that is none, PeerFailed for what the archive did not do.
    """
    if entity.dicomweb_url:
        return web.search(
            settings, entity, level, [*((tag, "") for tag in RETURNED.get(level, ())), *keys], limit=limit
        )
    model = PATIENT_ROOT_FIND if level == "PATIENT" else STUDY_ROOT_FIND
    contexts = [(model, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))]
    wanted = identifier(level, keys)
    found: list[dict[str, Any]] = []
    try:
        with association(settings, entity, contexts) as opened:
            context = opened.context_for(model)
            if context is None:
                raise PeerFailed(f"{entity.ae_title} does not take queries (C-FIND) from us.")
            syntax = context.transfer_syntax_uid
            for response, answer in opened.find(model, data_set.encode(wanted, syntax)):
                if answer is not None:
                    found.append(data_set.decode(answer, syntax))
                elif response.status:
                    comment = f": {response.error_comment}" if response.error_comment else ""
                    raise PeerFailed(f"{entity.ae_title} answered the query with {response.status:04X}{comment}.")
                if len(found) > limit:
                    break
    except (AssociationEndedError, ContextNotAcceptedError, OSError) as error:
        reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
        raise PeerFailed(f"{entity.ae_title} cannot be asked: {reason}.") from error
    return found[:limit], len(found) <= limit


def identifier(level: str, keys: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """An identifier with these keys, asking for what is usual at the level. Raises Invalid, naming the key."""
    asked: dict[str, Any] = {tag: {"vr": tag_of(tag).vr} for tag in RETURNED[level]}
    asked[LEVEL] = {"vr": "CS", "Value": [level]}
    for name, text in keys:
        try:
            path = tag_of(name)
        except UnknownAttributeError as error:
            raise Invalid(f"{error}.") from error
        items = asked
        for sequence in path.tags[:-1]:
            items = items.setdefault(sequence, {"vr": "SQ", "Value": [{}]})["Value"][0]
        items[path.tag] = {"vr": path.vr, **({"Value": _values(path.vr, text)} if text else {})}
    return asked


def _values(vr: str, text: str) -> list[Any]:
    if vr == "PN":
        name = PersonName.parse(text)
        groups = {"Alphabetic": name.alphabetic, "Ideographic": name.ideographic, "Phonetic": name.phonetic}
        return [{group: value for group, value in groups.items() if value}]
    if vr in _BINARY:
        try:
            return [float(part) if vr[0] == "F" else int(part) for part in text.split("\\")]
        except ValueError as error:
            raise Invalid(f"{text[:20]!r} is no number.") from error
    return text.split("\\")
