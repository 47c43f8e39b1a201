"""A patient as another registry knows him or her. Pure."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ForeignPatient:
    """A patient. `identifiers` are pairs of FHIR system and value; empty text means that it is not said.

    `name` and `name_bangla` are PN groups; `birth_date` is YYYYMMDD, estimated where only year or month is known.
    replaced_by: the reference of the patient that this one was found to be.
    """

    reference: str
    identifiers: tuple[tuple[str, str], ...] = ()
    name: str = ""
    name_bangla: str = ""
    birth_date: str = ""
    birth_date_estimated: bool = False
    sex: str = ""
    phone: str = ""
    address: str = ""
    replaced_by: str = ""


class PatientRegistry(Protocol):
    """Where patients are looked up."""

    async def find(self, reference: str) -> ForeignPatient | None:
        """The patient of `Patient/<id>`, None where there is none. Raises Unavailable."""
        ...

    async def search(self, system: str, value: str) -> list[ForeignPatient]:
        """The patients that have a number. Raises Unavailable."""
        ...
