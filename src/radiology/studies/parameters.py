"""The query of a search: every name that a criterion has, and what its value must look like."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from radiology.errors import FieldProblem, Invalid
from radiology.kit.pages import read_cursor
from radiology.studies.model import Criteria, Status
from radiology.studies.moments import read_from, read_until
from radiology.studies.schemas import MODALITY_ALIASES

DEFAULT_LIMIT, MOST = 50, 200

NAMES: Mapping[str, tuple[str, str]] = {
    "patient": ("patient patient_id patientId subject subject_id", "12345 or Patient/12345"),
    "encounter": ("encounter encounter_id encounterId encounter_reference", "67890 or Encounter/67890"),
    "status": ("status", "one or more workflow codes with commas between; `available` means: has images"),
    "modality": ("modality", "DX, or more with commas between; MRI means MR"),
    "procedure_code": ("procedure_code procedureCode procedure", "a code, or system|code"),
    "performer": ("performer performer_id performerId", "111 or Practitioner/111"),
    "interpreter": ("interpreter interpreter_id interpreterId", "333 or Practitioner/333"),
    "date_from": ("date_from dateFrom", "started at or after: a date or a moment"),
    "date_to": ("date_to dateTo", "started at or before; a date includes the whole day"),
    "accession_number": ("accession_number accessionNumber accession", "exactly"),
    "study_instance_uid": ("study_instance_uid studyInstanceUID studyInstanceUid", "exactly"),
    "limit": ("limit", "1 to 200, 50 where it is left out"),
    "cursor": ("cursor", "from `next` of the page before"),
}
"""Each criterion: all names it goes by, and its description."""


def read_parameters(query: QueryParams, names: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Values by criterion; empty ones are left out. Raises Invalid for a name that is unknown or given twice."""
    known = {name: criterion for criterion, (all_names, _) in names.items() for name in all_names.split()}
    found: dict[str, str] = {}
    for name, value in query.multi_items():
        if name not in known:
            raise _wrong(name, f"is not a parameter of this search; there are: {', '.join(names)}")
        if known[name] in found:
            raise _wrong(name, "is given twice; put several values into one, with commas between")
        if "\0" in value:
            raise _wrong(name, "holds the character U+0000")
        found[known[name]] = value.strip()
    return {criterion: value for criterion, value in found.items() if value}


def criteria_of(query: QueryParams, zone: ZoneInfo) -> Criteria:
    """What a query asks for. Raises Invalid naming the parameter."""
    given = read_parameters(query, NAMES)
    started_before, started_until = (
        read_until(given["date_to"], zone, "date_to") if "date_to" in given else (None, None)
    )
    return Criteria(
        patient=given.get("patient"),
        encounter=given.get("encounter"),
        status=status_of(given.get("status", ""), {*Status, "available"}),
        modality=modality_of(given.get("modality", "")),
        procedure_code=given["procedure_code"].rpartition("|")[2] if "procedure_code" in given else None,
        performer=given.get("performer"),
        interpreter=given.get("interpreter"),
        started_from=read_from(given["date_from"], zone, "date_from") if "date_from" in given else None,
        started_before=started_before,
        started_until=started_until,
        accession_number=given.get("accession_number"),
        study_instance_uid=given.get("study_instance_uid"),
        limit=limit_of(given.get("limit")),
        after=read_cursor(given["cursor"]) if "cursor" in given else None,
        zone=zone.key,
    )


def status_of(text: str, known: set[str]) -> tuple[str, ...]:
    """Codes with commas between. Raises Invalid for one that there is not."""
    codes = tuple(code for code in text.split(",") if code)
    if unknown := [code for code in codes if code not in known]:
        raise _wrong("status", f"{unknown[0]!r} is none; there are: {', '.join(sorted(known))}")
    return codes


def modality_of(text: str) -> tuple[str, ...]:
    """Modalities with commas between."""
    return tuple(MODALITY_ALIASES.get(code.strip(), code.strip()) for code in text.split(",") if code.strip())


def limit_of(text: str | None) -> int:
    """How many results a page has. Raises Invalid."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST or len(text) > 9:
        raise _wrong("limit", f"must be a number from 1 to {MOST}")
    return int(text)


def openapi_parameters(names: Mapping[str, tuple[str, str]]) -> list[dict[str, object]]:
    """The parameters as OpenAPI lists them: the first name of each, the others in its description."""
    listed: list[dict[str, object]] = []
    for all_names, description in names.values():
        first, *others = all_names.split()
        also = f" Also: {', '.join(others)}." if others else ""
        schema = {"type": "integer" if first == "limit" else "string"}
        listed.append(
            {"name": first, "in": "query", "required": False, "schema": schema, "description": description + also}
        )
    return listed


def _wrong(name: str, sentence: str) -> Invalid:
    return Invalid(f"{name}: {sentence}.", fields=[FieldProblem(name, sentence)])
