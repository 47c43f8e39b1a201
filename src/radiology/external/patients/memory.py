"""A patient registry in memory: the twin of the one over FHIR, for tests and demonstrations."""

from collections.abc import Iterable

from radiology.errors import Unavailable
from radiology.external.patients.model import ForeignPatient


class PatientsInMemory:
    """Patients by reference. `away` lets it answer as one that cannot be reached."""

    def __init__(self, patients: Iterable[ForeignPatient] = ()) -> None:
        self.patients = {each.reference: each for each in patients}
        self.away = False

    async def find(self, reference: str) -> ForeignPatient | None:
        """The patient of a reference. Raises Unavailable."""
        self._must_be_there()
        return self.patients.get(reference)

    async def search(self, system: str, value: str) -> list[ForeignPatient]:
        """The patients that have a number. Raises Unavailable."""
        self._must_be_there()
        return [each for each in self.patients.values() if (system, value) in each.identifiers]

    def _must_be_there(self) -> None:
        if self.away:
            raise Unavailable("The patient registry does not answer as it should. Try again later.")
