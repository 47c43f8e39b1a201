"""SQL of what is here of another archive's studies."""

from collections.abc import Sequence
from dataclasses import dataclass

from radiology.kit.db import WriterTransaction


@dataclass(frozen=True, slots=True)
class Digest:
    """What the data set of an instance is: its transfer syntax and SHA-256."""

    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_sha256: bytes


def present(tx: WriterTransaction, sop_instance_uids: Sequence[str]) -> set[str]:
    """Which of these instances are here, rejected ones included."""
    return set(
        tx.values(
            """
            SELECT sop_instance_uid FROM instances WHERE sop_instance_uid = ANY(%(uids)s)
            UNION ALL
            SELECT sop_instance_uid FROM rejected_instances WHERE sop_instance_uid = ANY(%(uids)s)
            """,
            uids=list(sop_instance_uids),
        )
    )


def digests(tx: WriterTransaction, sop_instance_uids: Sequence[str]) -> list[Digest]:
    """The data sets of instances that are here, by their digests."""
    return tx.all(
        Digest,
        """
        SELECT sop_instance_uid, coalesce(original_transfer_syntax_uid, transfer_syntax_uid) AS transfer_syntax_uid,
            data_set_sha256
        FROM instances
        WHERE sop_instance_uid = ANY(%(uids)s)
        """,
        uids=list(sop_instance_uids),
    )


def need_no_order(tx: WriterTransaction, study_instance_uid: str) -> None:
    """A study that has no order here is answered for by the archive that it came from."""
    tx.run(
        """
        UPDATE imaging_studies
        SET match = NULL
        WHERE study_instance_uid = %(uid)s
          AND match = 'none'
        """,
        uid=study_instance_uid,
    )
