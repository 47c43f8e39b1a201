"""SQL of compressing what is stored uncompressed and old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.errors import Conflict
from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance with native pixel data, and where its parts lie."""

    sop_instance_uid: str
    sop_class_uid: str
    study_id: UUID
    transfer_syntax_uid: str
    object_key: str
    size_bytes: int
    data_set_offset: int
    pixel_data_offset: int
    pixel_data_length: int
    data_set_sha256: bytes
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Switch:
    """The new object of an instance."""

    object_key: str
    size_bytes: int
    data_set_offset: int
    pixel_data_offset: int
    transfer_syntax_uid: str
    original_pixel_data_head: bytes
    object_sha256: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """How much there is to do."""

    instances: int
    size_bytes: int


async def candidates(
    tx: Transaction, transfer_syntax_uids: Sequence[str], *, since: datetime, until: datetime, limit: int
) -> list[Candidate]:
    """Instances stored in this span, in these transfer syntaxes, the oldest first."""
    return await tx.all(
        Candidate,
        """
        SELECT sop_instance_uid, sop_class_uid, study_id, transfer_syntax_uid, object_key, size_bytes, data_set_offset,
            pixel_data_offset, pixel_data_length, data_set_sha256, stored_at
        FROM instances
        WHERE stored_at >= %(since)s
          AND stored_at < %(until)s
          AND transfer_syntax_uid = ANY(%(syntaxes)s)
          AND pixel_data_length IS NOT NULL
        ORDER BY stored_at, sop_instance_uid
        LIMIT %(limit)s
        """,
        since=since,
        until=until,
        syntaxes=list(transfer_syntax_uids),
        limit=limit,
    )


async def due(tx: Transaction, transfer_syntax_uids: Sequence[str], *, until: datetime) -> Due:
    """How many instances were stored before that moment in these transfer syntaxes."""
    return await tx.one(
        Due,
        """
        SELECT count(*) AS instances, coalesce(sum(size_bytes), 0)::bigint AS size_bytes
        FROM instances
        WHERE stored_at < %(until)s
          AND transfer_syntax_uid = ANY(%(syntaxes)s)
          AND pixel_data_length IS NOT NULL
        """,
        until=until,
        syntaxes=list(transfer_syntax_uids),
    )


async def oldest(tx: Transaction) -> datetime | None:
    """When the oldest instance was stored."""
    return await tx.value("SELECT min(stored_at) FROM instances")


async def supersede(tx: Transaction, object_key: str, sop_instance_uid: str, *, delete_at: datetime) -> None:
    """Have an object of an instance deleted at that moment, unless an instance names it then."""
    await tx.run(
        """
        INSERT INTO superseded_objects (object_key, sop_instance_uid, delete_at)
        VALUES (%(object_key)s, %(sop_instance_uid)s, %(delete_at)s)
        ON CONFLICT (object_key) DO UPDATE SET delete_at = excluded.delete_at
        """,
        object_key=object_key,
        sop_instance_uid=sop_instance_uid,
        delete_at=delete_at,
    )


async def keep(tx: Transaction, object_keys: Sequence[str]) -> None:
    """Forget that objects were to be deleted."""
    await tx.run("DELETE FROM superseded_objects WHERE object_key = ANY(%(keys)s)", keys=list(object_keys))


async def shrink_study(tx: Transaction, study_id: UUID, *, saved_bytes: int) -> None:
    """A study needs less room."""
    await tx.run(
        "UPDATE imaging_studies SET size_bytes = size_bytes - %(saved)s WHERE id = %(id)s",
        saved=saved_bytes,
        id=study_id,
    )


async def switch(tx: Transaction, candidate: Candidate, new: Switch) -> None:
    """Let an instance name its new object. Raises Conflict where it was rejected or replaced meanwhile."""
    changed = await tx.run(
        """
        UPDATE instances
        SET object_key = %(object_key)s,
            size_bytes = %(size_bytes)s,
            data_set_offset = %(data_set_offset)s,
            pixel_data_offset = %(pixel_data_offset)s,
            pixel_data_length = NULL,
            original_transfer_syntax_uid = transfer_syntax_uid,
            transfer_syntax_uid = %(transfer_syntax_uid)s,
            original_pixel_data_head = %(original_pixel_data_head)s,
            object_sha256 = %(object_sha256)s
        WHERE sop_instance_uid = %(sop_instance_uid)s
          AND object_key = %(old_key)s
          AND data_set_sha256 = %(data_set_sha256)s
        """,
        object_key=new.object_key,
        size_bytes=new.size_bytes,
        data_set_offset=new.data_set_offset,
        pixel_data_offset=new.pixel_data_offset,
        transfer_syntax_uid=new.transfer_syntax_uid,
        original_pixel_data_head=new.original_pixel_data_head,
        object_sha256=new.object_sha256,
        sop_instance_uid=candidate.sop_instance_uid,
        old_key=candidate.object_key,
        data_set_sha256=candidate.data_set_sha256,
    )
    if changed != 1:
        raise Conflict("The instance was rejected or replaced meanwhile.")


async def superseded(tx: Transaction, *, now: datetime, limit: int) -> list[tuple[str, bool]]:
    """Objects whose time has come, each with whether something still names it."""
    rows = await tx.values(
        """
        SELECT json_build_array(old.object_key, EXISTS (
            SELECT 1 FROM instances AS i WHERE i.object_key = old.object_key
            UNION ALL
            SELECT 1 FROM rejected_instances AS r WHERE r.object_key = old.object_key
            UNION ALL
            SELECT 1 FROM instance_revisions AS v WHERE v.object_key = old.object_key
            UNION ALL
            SELECT 1 FROM quarantine AS q WHERE q.object_key = old.object_key
        ))
        FROM superseded_objects AS old
        WHERE old.delete_at < %(now)s
        ORDER BY old.delete_at
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )
    return [(str(key), bool(is_named)) for key, is_named in rows]
