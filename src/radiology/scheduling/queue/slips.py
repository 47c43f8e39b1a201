"""The paper that somebody who has arrived is given: a number, where to wait, and what machines read."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import segno

from radiology.kit.barcodes import code128_svg
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.procedures.preparations import sentences
from radiology.scheduling.queue.model import Token
from radiology.scheduling.rooms.queries import Room
from radiology.standards.dicom.bangla import bangla_digits


def slip_of(
    token: Token, room: Room, item: ScheduledProcedureStep, rules: Mapping[str, Any], *, zone: ZoneInfo
) -> tuple[dict[str, str], str]:
    """The values and the markup of the page. The accession number is on it twice: as Code 128 and as a QR code."""
    taken = token.taken_at.astimezone(zone)
    booked = token.begins.astimezone(zone) if token.begins else None
    prepared = sentences(token.facts.get("preparations") or ())
    values = {
        "facility": rules.get("facilityName", ""),
        "facility_bn": rules.get("facilityNameBangla", ""),
        "number": str(token.number),
        "number_bn": bangla_digits(str(token.number)),
        "room": room.name,
        "room_bn": room.name_bangla or room.name,
        "taken": f"{taken:%d/%m/%Y %H:%M}",
        "taken_bn": bangla_digits(f"{taken:%d/%m/%Y %H:%M}"),
        "booked": f"{booked:%H:%M}" if booked else "",
        "booked_bn": bangla_digits(f"{booked:%H:%M}") if booked else "",
        "accession": item.accession_number,
        "prepare": ". ".join(each.english for each in prepared),
        "prepare_bn": "। ".join(each.bangla for each in prepared),
    }
    return values, _codes(item.accession_number)


def _codes(text: str) -> str:
    out = BytesIO()
    segno.make_qr(text, error="m").save(out, kind="svg", scale=4, xmldecl=False, title="QR")
    bars = code128_svg(text) if text.isascii() and text.isprintable() else ""
    return f"<p>{bars}</p><p>{out.getvalue().decode()}</p>"
