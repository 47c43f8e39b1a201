"""SQL of labelling anew what is stored."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from radiology.kit.db import Transaction


async def place(tx: Transaction, id: UUID, *, actor: str, at: datetime, patient_id: UUID | None = None) -> None:
    """Every study is to be labelled anew, since rules changed; or those of one patient, since a restriction did."""
    await tx.run(
        """
        INSERT INTO relabellings (id, cause, patient_id, asked_by, asked_at, studies)
        SELECT %(id)s, CASE WHEN %(patient_id)s::uuid IS NULL THEN 'rules' ELSE 'restriction' END, %(patient_id)s,
            %(actor)s, %(at)s, count(*)
        FROM imaging_studies
        WHERE %(patient_id)s::uuid IS NULL
           OR patient_id = %(patient_id)s
        """,
        id=id,
        patient_id=patient_id,
        actor=actor,
        at=at,
    )


async def newest(tx: Transaction, *, limit: int) -> Sequence[UUID]:
    """The studies that were registered last."""
    return await tx.values("SELECT id FROM imaging_studies ORDER BY id DESC LIMIT %(limit)s", limit=limit)


async def next_studies(tx: Transaction, relabelling: UUID, *, limit: int) -> Sequence[UUID]:
    """The studies behind those that were looked at, in the order of ids."""
    return await tx.values(
        """
        SELECT s.id
        FROM imaging_studies AS s, relabellings AS r
        WHERE r.id = %(relabelling)s
          AND r.state <> 'done'
          AND (r.patient_id IS NULL OR s.patient_id = r.patient_id)
          AND (r.last_study IS NULL OR s.id > r.last_study)
        ORDER BY s.id
        LIMIT %(limit)s
        """,
        relabelling=relabelling,
        limit=limit,
    )


async def cause_of(tx: Transaction, relabelling: UUID) -> str:
    """Why it is done: rules or restriction."""
    return await tx.value("SELECT cause FROM relabellings WHERE id = %(relabelling)s", relabelling=relabelling)


async def hold(tx: Transaction, study_id: UUID) -> None:
    """Keep a study from all others until the transaction ends."""
    await tx.run("SELECT FROM imaging_studies WHERE id = %(study_id)s FOR NO KEY UPDATE", study_id=study_id)


async def note(tx: Transaction, relabelling: UUID, last: UUID | None, *, looked_at: int, changed: int) -> None:
    """How far it has come; done, where there was nothing left."""
    await tx.run(
        """
        UPDATE relabellings
        SET last_study = coalesce(%(last)s, last_study),
            looked_at = looked_at + %(looked_at)s,
            changed = changed + %(changed)s,
            state = CASE WHEN %(last)s::uuid IS NULL THEN 'done' ELSE 'running' END,
            ended_at = CASE WHEN %(last)s::uuid IS NULL THEN coalesce(ended_at, now()) END
        WHERE id = %(relabelling)s
        """,
        relabelling=relabelling,
        last=last,
        looked_at=looked_at,
        changed=changed,
    )


async def body(tx: Transaction) -> bytes:
    """The newest twenty, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('id', id, 'cause', cause, 'state', state, 'askedBy', asked_by,
            'askedAt', asked_at, 'endedAt', ended_at, 'studies', studies, 'lookedAt', looked_at, 'changed', changed)
            ORDER BY asked_at DESC, id DESC), '[]')::text
        FROM (
            SELECT id, cause, state, asked_by, asked_at, ended_at, studies, looked_at, changed
            FROM relabellings
            ORDER BY asked_at DESC, id DESC
            LIMIT 20
        ) AS newest
        """
    )
