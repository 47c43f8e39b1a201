"""What a patient will pay, before anything is ordered."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from radiology.app import App
from radiology.billing import queries
from radiology.billing.pricing import Asked, Reductions, price_of
from radiology.billing.refreshing import Known, known
from radiology.billing.rules import Rules, rules_of
from radiology.billing.schemas import EstimateIn, EstimateItem, line_told, sums_told
from radiology.errors import FieldProblem, Unprocessable
from radiology.procedures.model import Coding, Procedure


@dataclass(frozen=True, slots=True)
class Question:
    """Where and on which day."""

    facility_code: str
    on: date


async def estimate(app: App, said: EstimateIn, *, facility_code: str) -> dict[str, Any]:
    """The price of procedures, and who would pay how much. Raises Unprocessable for what the catalogue does not know.

    Nothing is kept of it, and it binds nobody: the price is that of the day on which the order is placed.
    """
    compared = await known(app)
    question = Question(said.facility or facility_code, said.on or compared.today)
    async with app.db.reading() as tx:
        rules = rules_of(await queries.rules_said(tx), question.on)
    procedures = [_found(compared, item, place) for place, item in enumerate(said.procedures)]
    asked = [_asked(compared, each, question) for each in procedures]
    lines = price_of(asked, _reductions(compared, rules, said, question.facility_code))
    items = [
        line_told(line, item=each.display, item_bangla=each.display_bangla, is_known=one.price is not None)
        for line, each, one in zip(lines, procedures, asked, strict=True)
    ]
    unknown = [one.key for one in asked if one.price is None]
    return {
        "facilityCode": question.facility_code,
        "on": question.on.isoformat(),
        "items": items,
        **sums_told(list(lines)),
        "withoutPrice": unknown,
    }


def _reductions(known: Known, rules: Rules, said: EstimateIn, facility_code: str) -> Reductions:
    return Reductions(
        rules.concession(said.concession),
        rules.scheme(said.scheme),
        rules.packages_at(facility_code),
        known.vat_percent,
    )


def _found(known: Known, item: EstimateItem, place: int) -> Procedure:
    if item.procedure:
        found = known.procedures.by_key(item.procedure)
    else:
        codings = [Coding(item.system, item.code, item.text)] if item.code else []
        found = known.procedures.find(codings, item.modality, item.text)
    if found is None:
        sentence = "is no procedure of the catalogue; GET /api/radiology/procedures?q= finds them"
        raise Unprocessable(f"procedures.{place} {sentence}.", fields=[FieldProblem(f"procedures.{place}", sentence)])
    return found


def _asked(known: Known, procedure: Procedure, question: Question) -> Asked:
    return Asked(
        procedure.key,
        procedure.modality,
        known.price(procedure.key, question.facility_code, question.on),
        known.public_price(procedure.key, question.on),
    )
