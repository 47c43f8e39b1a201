"""Modality Worklist C-FIND SCP (PS3.4 annex K)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from radiology.app import App
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, PendingResponses, Response, Status
from radiology.doors.dimse import tracing
from radiology.doors.dimse.identifiers import charset_of, read
from radiology.modality_worklist import search
from radiology.modality_worklist.answering import candidates, fits, view_of
from radiology.modality_worklist.asked import Notes
from radiology.modality_worklist.encoding import Encoder
from radiology.modality_worklist.search import WorklistQuery
from radiology.standards.dicom.uids import MODALITY_WORKLIST_FIND

#: Our answer to SOP class extended negotiation (PS3.4 K.5.1): two reserved bytes, fuzzy names, timezone adjustment.
EXTENDED = b"\1\1\1\1"
_FUZZY, _TIMEZONE = 2, 3

#: So many answers go out together; a C-CANCEL is looked for before each such lot.
AT_ONCE = 8
IDENTIFIER_LIMIT_BYTES = 1024 * 1024
OUT_OF_RESOURCES = 0xA700


@dataclass(frozen=True, slots=True)
class WorklistService:
    """The worklist over one App."""

    app: App
    notes: Notes = field(default_factory=Notes)

    def find(
        self, association: Association, request: Command, data: DataSet  # noqa: ARG002 - a service's signature.
    ) -> Iterator[Response | PendingResponses]:  # fmt: skip
        """C-FIND: pending responses in the order of their start; FF01 where a key is not known here."""
        identifier = read(data, IDENTIFIER_LIMIT_BYTES)
        query = self._parse(association, identifier)
        charset = _charset(association, identifier)
        facility = association.state.source.facility_code
        actor = association.state.entity.actor()
        items = self.app.db.wait_for(
            candidates(self.app, query, association.calling_ae_title, facility, visible_to=actor)
        )
        self.app.db.wait_for(self.notes.note(self.app, association.calling_ae_title, identifier, len(items)))
        tracing.worklist_asked(association, identifier, len(items), self.app.settings.zone)
        view = view_of(self.app, query, association.calling_ae_title, charset)
        encoder = Encoder.of(query, view, transfer_syntax_uid=data.transfer_syntax_uid, charset=charset)
        status = Status.PENDING_WITH_WARNING if query.unsupported else Status.PENDING
        most = self.app.settings.find_max
        for first in range(0, min(len(items), most), AT_ONCE):
            lot = [item for item in items[first : min(first + AT_ONCE, most)] if fits(query, item, view)]
            yield PendingResponses(status, [encoder.encode(item) for item in lot])
        if len(items) > most:
            yield Response(OUT_OF_RESOURCES, error_comment=f"More than {most} items. Refine the query.")

    def _parse(self, association: Association, identifier: dict[str, Any]) -> WorklistQuery:
        zone, negotiated = self.app.settings.zone, _negotiated(association)
        return search.parse(
            identifier, zone=zone, fuzzy=_accepts(negotiated, _FUZZY), adjusts_zone=_accepts(negotiated, _TIMEZONE)
        )


def _charset(association: Association, identifier: Mapping[str, Any]) -> str:
    """That of the record, which says what the modality can show; without one what the query names, else ASCII."""
    recorded = association.state.entity.default_charset
    return charset_of(recorded, {} if recorded else identifier)


def _negotiated(association: Association) -> bytes:
    answered = association.answer.user_information.extended
    return next((each.information for each in answered if each.sop_class_uid == MODALITY_WORKLIST_FIND), b"")


def _accepts(negotiated: bytes, position: int) -> bool:
    return len(negotiated) > position and negotiated[position] == 1
