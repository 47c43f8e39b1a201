"""SQL of what proves that another archive has a copy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.remotes.queries import Digest


@dataclass(frozen=True, slots=True)
class Unproven:
    """An instance of which it is not proven that an archive has it."""

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_sha256: bytes


async def unproven(
    tx: Transaction, study_id: UUID, rejection_id: UUID | None, ae_title: str, *, since: datetime
) -> list[Unproven]:
    """Instances of a study that an archive has neither committed to keep nor given out, byte for byte, since then.

    Of what an archive has said the newest counts. `rejection_id`: of those that it hides, too, but not its own note.
    """
    return await tx.all(
        Unproven,
        """
        SELECT series.series_instance_uid, i.sop_class_uid, i.sop_instance_uid,
            coalesce(i.original_transfer_syntax_uid, i.transfer_syntax_uid) AS transfer_syntax_uid, i.data_set_sha256
        FROM (
            SELECT series_id, sop_class_uid, sop_instance_uid, original_transfer_syntax_uid, transfer_syntax_uid,
                data_set_sha256
            FROM instances
            WHERE study_id = %(study_id)s
            UNION ALL
            SELECT series_id, sop_class_uid, sop_instance_uid, original_transfer_syntax_uid, transfer_syntax_uid,
                data_set_sha256
            FROM rejected_instances AS hidden
            WHERE hidden.rejection_id = %(rejection_id)s
              AND EXISTS (
                  SELECT FROM rejection_references AS named
                  WHERE named.rejection_id = hidden.rejection_id
                    AND named.sop_instance_uid = hidden.sop_instance_uid
              )
        ) AS i
        JOIN imaging_series AS series ON series.id = i.series_id
        WHERE NOT EXISTS (
            SELECT FROM proven_copies AS proven
            WHERE proven.ae_title = %(ae_title)s
              AND proven.sop_instance_uid = i.sop_instance_uid
              AND proven.data_set_sha256 = i.data_set_sha256
              AND proven.proven_at >= %(since)s
        )
          AND 'committed' IS DISTINCT FROM (
            SELECT CASE WHEN inquiry.changed_at >= %(since)s THEN said.outcome END
            FROM commitment_outcomes AS said
            JOIN commitment_inquiries AS inquiry ON inquiry.id = said.inquiry_id
            WHERE said.sop_instance_uid = i.sop_instance_uid
              AND inquiry.ae_title = %(ae_title)s
              AND inquiry.state = 'answered'
            ORDER BY inquiry.changed_at DESC
            LIMIT 1
        )
        ORDER BY i.sop_instance_uid
        """,
        study_id=study_id,
        rejection_id=rejection_id,
        ae_title=ae_title,
        since=since,
    )


async def inquiry_state(tx: Transaction, cause_id: UUID, *, since: datetime) -> str | None:
    """How far the newest request for storage commitment is that was made for this since then; None without one."""
    return await tx.value(
        """
        SELECT state
        FROM commitment_inquiries
        WHERE cause_id = %(cause_id)s
          AND caused_at >= %(since)s
        ORDER BY caused_at DESC
        LIMIT 1
        """,
        cause_id=cause_id,
        since=since,
    )


async def note_proven(tx: Transaction, ae_title: str, proven: Iterable[Digest], *, at: datetime) -> None:
    """These came from an archive, and are what is here."""
    found: Sequence[Digest] = list(proven)
    await tx.run(
        """
        INSERT INTO proven_copies (ae_title, sop_instance_uid, data_set_sha256, proven_at)
        SELECT %(ae_title)s, uid, sha256, %(at)s
        FROM unnest(%(uids)s::text[], %(digests)s::bytea[]) AS came (uid, sha256)
        ON CONFLICT (ae_title, sop_instance_uid)
        DO UPDATE SET data_set_sha256 = excluded.data_set_sha256, proven_at = excluded.proven_at
        """,
        ae_title=ae_title,
        uids=[each.sop_instance_uid for each in found],
        digests=[each.data_set_sha256 for each in found],
        at=at,
    )
