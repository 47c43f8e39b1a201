"""Codes of an order, put right by the catalogue."""

from typing import Any

from radiology.app import App
from radiology.orders.schemas import OrderIn, ProcedureIn
from radiology.procedures.catalogue import catalogue
from radiology.procedures.coding import CodingWarning, all_corrected, corrected
from radiology.procedures.lookup import Catalogue
from radiology.studies.schemas import CodeableConcept


async def coded(app: App, said: OrderIn) -> tuple[OrderIn, dict[str, Any]]:
    """What was ordered with the right codes beside those that were sent, and `warnings` of them where there are any."""
    known = await catalogue(app)
    reasons, warnings = all_corrected(known, [each.as_json() for each in said.reasonCode], "reasonCode")
    procedures: list[ProcedureIn] = []
    for number, each in enumerate(said.procedures):
        procedure, more = _procedure(known, each, f"procedures[{number}]")
        procedures.append(procedure)
        warnings += more
    right = said.model_copy(
        update={"procedures": procedures, "reasonCode": [CodeableConcept.model_validate(each) for each in reasons]}
    )
    return right, {"warnings": [each.as_json() for each in warnings]} if warnings else {}


def _procedure(known: Catalogue, said: ProcedureIn, field: str) -> tuple[ProcedureIn, list[CodingWarning]]:
    code, warnings = corrected(known, said.code.as_json(), f"{field}.code")
    return said.model_copy(update={"code": CodeableConcept.model_validate(code)}), warnings
