"""What waits for a reader, with all that decides who it is given to: for assignment and for batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.reading_worklist.model import AgeGroup, Place, Priority, State, Waiting

RECENT: Final = timedelta(days=731)
"""Who has read the same region so recently knows the patient."""


@dataclass(frozen=True, slots=True)
class _Row:
    study_id: UUID
    facility_code: str
    district: str
    division: str
    priority: str
    modality: str
    modalities: list[str]
    procedure_key: str
    region: str
    subspecialty: str
    rvu: float
    age_group: str
    patient_id: UUID
    patient_sex: str
    sensitive: bool
    inpatient: bool
    critical: bool
    certificates: list[str]
    state: str
    author: str | None
    approver_differs: bool
    received_at: datetime
    sla_hours: float
    completed_at: datetime | None
    deadline: datetime | None
    readers_of_region: list[str]
    readers_of_patient: list[str]

    @property
    def waiting(self) -> Waiting:
        return Waiting(
            study_id=self.study_id,
            place=Place(self.facility_code, self.district, self.division),
            priority=Priority(self.priority),
            modality=self.modality,
            received_at=self.received_at,
            sla_hours=self.sla_hours,
            completed_at=self.completed_at,
            deadline=self.deadline,
            modalities=frozenset(self.modalities),
            procedure_key=self.procedure_key,
            region=self.region,
            subspecialty=self.subspecialty,
            rvu=self.rvu,
            age_group=AgeGroup(self.age_group),
            patient_id=self.patient_id,
            patient_sex=self.patient_sex,
            sensitive=self.sensitive,
            inpatient=self.inpatient,
            critical=self.critical,
            certificates=frozenset(self.certificates),
            state=State(self.state),
            author=self.author,
            approver_differs=self.approver_differs,
            readers_of_region=frozenset(self.readers_of_region),
            readers_of_patient=frozenset(self.readers_of_patient),
        )


async def waiting(
    tx: Transaction, *, states: Sequence[State] = (State.WAITING,), now: datetime, most: int = 5000
) -> list[Waiting]:
    """What stands in nobody's queue, or is offered where `states` say so, the earliest first.

    Readers of priors are named by account and by practitioner, so that either can be looked for.
    """
    rows = await tx.all(
        _Row,
        """
        SELECT item.study_id, item.facility_code, coalesce(facility.district, '') AS district,
            coalesce(facility.division, '') AS division, item.priority, item.modality, item.modalities,
            item.procedure_key, item.region, item.subspecialty, item.rvu, item.age_group, item.patient_id,
            item.patient_sex, item.sensitive, item.inpatient, item.critical, item.certificates, item.state,
            item.author, item.approver_differs, item.received_at, item.sla_hours, item.completed_at, item.deadline,
            coalesce(priors.of_region, '{}') AS readers_of_region,
            coalesce(priors.of_patient, '{}') AS readers_of_patient
        FROM reading_items AS item
        LEFT JOIN facilities AS facility ON facility.code = item.facility_code
        LEFT JOIN LATERAL (
            SELECT array_agg(DISTINCT reader.name) FILTER (
                    WHERE prior.region = item.region AND item.region <> '' AND report.issued > %(since)s
                ) AS of_region,
                array_agg(DISTINCT reader.name) AS of_patient
            FROM radiology_reports AS report
            LEFT JOIN reading_items AS prior ON prior.study_id = report.study_id
            CROSS JOIN LATERAL (
                VALUES (report.approver->>'id'), (report.approver->>'reference'), (report.author)
            ) AS reader (name)
            WHERE report.patient_id = item.patient_id
              AND report.study_id <> item.study_id
              AND report.status IN ('final', 'amended', 'corrected', 'appended')
              AND reader.name IS NOT NULL
        ) AS priors ON true
        WHERE item.state NOT IN ('final', 'removed')
          AND item.state = ANY(%(states)s)
          AND (item.assigned_to IS NULL OR item.state = 'offered')
        ORDER BY item.received_at, item.study_id
        LIMIT %(most)s
        """,
        states=[str(state) for state in states],
        since=now - RECENT,
        most=most,
    )
    return [row.waiting for row in rows]
