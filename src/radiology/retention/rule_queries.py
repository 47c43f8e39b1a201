"""SQL of the rules, of whether anything is removed, and of studies that are marked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction, as_json


@dataclass(frozen=True, slots=True)
class State:
    """removes: whether anything is. bin_days, proof_days: how long the bin keeps, how old proof of a copy may be."""

    removes: bool
    bin_days: int
    proof_days: int


async def newest(tx: Transaction) -> tuple[int, list[dict[str, Any]]] | None:
    """The version of the rules that holds, and the rules; None where nobody has made any."""
    return await tx.value(
        "SELECT json_build_array(version, rules) FROM retention_versions ORDER BY version DESC LIMIT 1"
    )


async def lock_for_change(tx: Transaction) -> None:
    """Let one after the other change rules and state."""
    await tx.run("SELECT FROM retention_state FOR UPDATE")


async def insert_version(
    tx: Transaction, *, version: int, rules: list[dict[str, Any]], reason: str, by: str, at: datetime
) -> None:
    """Keep a version of the rules."""
    await tx.run(
        """
        INSERT INTO retention_versions (version, rules, reason, made_by, made_at)
        VALUES (%(version)s, %(rules)s, %(reason)s, %(by)s, %(at)s)
        """,
        version=version,
        rules=as_json(rules),
        reason=reason,
        by=by,
        at=at,
    )


async def versions_body(tx: Transaction) -> bytes:
    """Every version of the rules, the newest first, as JSON."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('version', version, 'rules', rules, 'reason', reason,
            'madeBy', made_by, 'madeAt', made_at) ORDER BY version DESC), '[]')::text
        FROM retention_versions
        """
    )


async def state(tx: Transaction) -> State:
    """Whether anything is removed, and how."""
    return await tx.one(State, "SELECT removes, bin_days, proof_days FROM retention_state")


async def state_body(tx: Transaction) -> bytes:
    """The same as JSON, and who said so."""
    return await tx.json(
        """
        SELECT json_strip_nulls(json_build_object('removes', removes, 'binDays', bin_days, 'proofDays', proof_days,
            'reason', nullif(reason, ''), 'changedBy', changed_by, 'changedAt', changed_at))::text
        FROM retention_state
        """
    )


async def save_state(tx: Transaction, new: State, *, reason: str, by: str, at: datetime) -> None:
    """Switch removal on or off."""
    await tx.run(
        """
        UPDATE retention_state
        SET removes = %(removes)s, bin_days = %(bin_days)s, proof_days = %(proof_days)s, reason = %(reason)s,
            changed_by = %(by)s, changed_at = %(at)s
        """,
        removes=new.removes,
        bin_days=new.bin_days,
        proof_days=new.proof_days,
        reason=reason,
        by=by,
        at=at,
    )


async def mark(tx: Transaction, study_id: UUID, *, reason: str, by: str, at: datetime) -> None:
    """Have a study kept for ever."""
    await tx.run(
        """
        INSERT INTO retention_marks (study_id, reason, made_by, made_at)
        VALUES (%(study_id)s, %(reason)s, %(by)s, %(at)s)
        ON CONFLICT (study_id) DO UPDATE SET reason = excluded.reason, made_by = excluded.made_by,
            made_at = excluded.made_at
        """,
        study_id=study_id,
        reason=reason,
        by=by,
        at=at,
    )


async def unmark(tx: Transaction, study_id: UUID) -> bool:
    """Let the rules decide again. False where it was not marked."""
    return await tx.run("DELETE FROM retention_marks WHERE study_id = %(study_id)s", study_id=study_id) == 1
