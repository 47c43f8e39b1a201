"""Modality Worklist C-FIND SCP (PS3.4 annex K)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from radiology.app import App
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, Response, Status
from radiology.doors.dimse import tracing
from radiology.doors.dimse.identifiers import charset_of, read
from radiology.modality_worklist import search
from radiology.modality_worklist.answering import answer, candidates, view_of
from radiology.modality_worklist.search import WorklistQuery
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import MODALITY_WORKLIST_FIND

#: Our answer to SOP class extended negotiation (PS3.4 K.5.1): two reserved bytes, fuzzy names, timezone adjustment.
EXTENDED = b"\1\1\1\1"
_FUZZY, _TIMEZONE = 2, 3

IDENTIFIER_LIMIT_BYTES = 1024 * 1024
OUT_OF_RESOURCES = 0xA700


@dataclass(frozen=True, slots=True)
class WorklistService:
    """The worklist over one App."""

    app: App

    def find(self, association: Association, request: Command, data: DataSet) -> Iterator[Response]:  # noqa: ARG002
        """C-FIND: pending responses in the order of their start; FF01 where a key is not known here."""
        identifier = read(data, IDENTIFIER_LIMIT_BYTES)
        query = self._parse(association, identifier)
        charset = charset_of(association.state.entity.default_charset, identifier)
        facility = association.state.source.facility_code
        actor = association.state.entity.actor()
        items = self.app.db.wait_for(
            candidates(self.app, query, association.calling_ae_title, facility, visible_to=actor)
        )
        tracing.worklist_asked(association, identifier, len(items), self.app.settings.zone)
        view = view_of(self.app, query, association.calling_ae_title)
        status = Status.PENDING_WITH_WARNING if query.unsupported else Status.PENDING
        most = self.app.settings.find_max
        for item in items[:most]:
            if (attributes := answer(query, item, view)) is not None:
                yield Response(status, data_set.encode(attributes, data.transfer_syntax_uid, charset=charset))
        if len(items) > most:
            yield Response(OUT_OF_RESOURCES, error_comment=f"More than {most} items. Refine the query.")

    def _parse(self, association: Association, identifier: dict[str, Any]) -> WorklistQuery:
        zone, negotiated = self.app.settings.zone, _negotiated(association)
        return search.parse(
            identifier, zone=zone, fuzzy=_accepts(negotiated, _FUZZY), adjusts_zone=_accepts(negotiated, _TIMEZONE)
        )


def _negotiated(association: Association) -> bytes:
    answered = association.answer.user_information.extended
    return next((each.information for each in answered if each.sop_class_uid == MODALITY_WORKLIST_FIND), b"")


def _accepts(negotiated: bytes, position: int) -> bool:
    return len(negotiated) > position and negotiated[position] == 1
