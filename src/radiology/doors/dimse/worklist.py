"""Modality Worklist C-FIND SCP (PS3.4 annex K)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from radiology.app import App
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, Response, Status
from radiology.doors.dimse import tracing
from radiology.doors.dimse.identifiers import charset_of, read
from radiology.kit.db import Where
from radiology.modality_worklist import queries, search
from radiology.modality_worklist.criteria import conditions
from radiology.modality_worklist.model import ScheduledProcedureStep, Station
from radiology.modality_worklist.return_keys import ITEM_KEYS, STEP_KEYS, View, data_set_of
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
        items = self.app.db.wait_for(self._find(query, association.calling_ae_title, facility))
        tracing.worklist_asked(association, identifier, len(items), self.app.settings.zone)
        view = View(association.calling_ae_title, query.zone, self.app.settings.pn_bangla_group == "ideographic")
        status = Status.PENDING_WITH_WARNING if query.unsupported else Status.PENDING
        most = self.app.settings.find_max
        for item in items[:most]:
            if _fits(query, item, view):
                answer = data_set_of(item, view, query.tags, query.step_tags)
                yield Response(status, data_set.encode(answer, data.transfer_syntax_uid, charset=charset))
        if len(items) > most:
            yield Response(OUT_OF_RESOURCES, error_comment=f"More than {most} items. Refine the query.")

    def _parse(self, association: Association, identifier: dict[str, Any]) -> WorklistQuery:
        zone, negotiated = self.app.settings.zone, _negotiated(association)
        return search.parse(
            identifier, zone=zone, fuzzy=_accepts(negotiated, _FUZZY), adjusts_zone=_accepts(negotiated, _TIMEZONE)
        )

    async def _find(self, query: WorklistQuery, ae_title: str, facility_code: str) -> list[ScheduledProcedureStep]:
        settings = self.app.settings
        async with self.app.db.transaction() as tx:
            station: Station = await queries.station(tx, ae_title, facility_code=facility_code)
            where: Where = conditions(query, station, at=self.app.clock.now(), zone=settings.zone)
            return await queries.find(tx, where, limit=settings.find_max + 1)


def _fits(query: WorklistQuery, item: ScheduledProcedureStep, view: View) -> bool:
    """What the database does not compare is compared here, on the attributes as they are returned."""
    others = [tag for tag in query.keys if tag not in search.ITEM_COLUMNS]
    of_step = [tag for tag in query.step_keys if tag not in search.STEP_COLUMNS]
    if not others and not of_step:
        return True
    attributes = {tag: ITEM_KEYS[tag].element(item, view) for tag in others}
    step = {tag: STEP_KEYS[tag].element(item, view) for tag in of_step}
    return search.fits(query, attributes, step)


def _negotiated(association: Association) -> bytes:
    answered = association.answer.user_information.extended
    return next((each.information for each in answered if each.sop_class_uid == MODALITY_WORKLIST_FIND), b"")


def _accepts(negotiated: bytes, position: int) -> bool:
    return len(negotiated) > position and negotiated[position] == 1
