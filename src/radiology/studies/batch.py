"""What one transaction of the index knows, and what it will write."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from radiology import events
from radiology.kit.db import WriterTransaction
from radiology.standards.dicom.identity import PatientIdentity
from radiology.studies.matching import Candidate, Wanted
from radiology.studies.queries.index import Growth, KnownInstance, KnownSeries, KnownStudy
from radiology.studies.receive import Arrival


@dataclass(slots=True)
class Batch:
    """What one transaction knows and will write. `candidates` are the orders that new studies may belong to."""

    tx: WriterTransaction
    studies: dict[str, KnownStudy]
    series: dict[str, KnownSeries]
    instances: dict[str, KnownInstance]
    rejected: dict[str, str] = field(default_factory=dict[str, str])
    candidates: dict[Wanted, list[Candidate]] = field(default_factory=dict[Wanted, list[Candidate]])
    placed: list[Arrival] = field(default_factory=list[Arrival])
    rows: list[Sequence[Any]] = field(default_factory=list[Sequence[Any]])
    growth: dict[UUID, Growth] = field(default_factory=lambda: defaultdict[UUID, Growth](Growth))
    series_growth: Counter[UUID] = field(default_factory=Counter[UUID])
    modalities: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict[UUID, set[str]](set))
    flags: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict[UUID, set[str]](set))
    created: set[UUID] = field(default_factory=set[UUID])
    filled: set[UUID] = field(default_factory=set[UUID])
    superfluous: list[str] = field(default_factory=list[str])
    told: list[events.Event] = field(default_factory=list[events.Event])
    identities: dict[tuple[UUID, PatientIdentity], float] = field(
        default_factory=dict[tuple[UUID, PatientIdentity], float]
    )


def lock_key(name: str) -> int:
    """The advisory lock of `study <uid>`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def study_event(study: KnownStudy) -> dict[str, Any]:
    """What every event of a study says."""
    return {
        "facility_code": study.facility_code,
        "study_id": str(study.id),
        "study_instance_uid": study.study_instance_uid,
    }
