"""SQL of copying a foreign archive. Of what is listed and copied the thread of the command is the writer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from radiology.kit.db import Transaction, WriterTransaction
from radiology.remotes.copying import Outcome
from radiology.remotes.model import ForeignStudy
from radiology.takeover.model import Slice


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One study of the report."""

    study_instance_uid: str
    study_date: str
    state: str
    instances: int | None
    missing: int | None
    verified: str
    detail: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many studies are in each state, and how many slices are not proven to be listed whole."""

    waiting: int
    copied: int
    differs: int
    failed: int
    incomplete: int


def add_slices(tx: WriterTransaction, source: str, slices: Sequence[Slice]) -> None:
    """Note what is to be listed, even if it was before."""
    for part in slices:
        tx.run(
            """
            INSERT INTO takeover_slices (source, first_date, last_date, first_time, last_time, patient_id)
            VALUES (%(source)s, %(first_date)s, %(last_date)s, %(first_time)s, %(last_time)s, %(patient_id)s)
            ON CONFLICT (source, first_date, last_date, first_time, last_time, patient_id) DO UPDATE
            SET state = 'waiting'
            """,
            source=source,
            **asdict(part),
        )


def has_slices(tx: WriterTransaction, source: str) -> bool:
    """Whether listing has begun."""
    return tx.value("SELECT EXISTS (SELECT FROM takeover_slices WHERE source = %(source)s)", source=source)


def forget_slices(tx: WriterTransaction, source: str) -> None:
    """Begin to list anew; what became of the studies stays."""
    tx.run("DELETE FROM takeover_slices WHERE source = %(source)s", source=source)


def next_slice(tx: WriterTransaction, source: str) -> Slice | None:
    """What is to be listed next: newest first, studies of any date last."""
    found = tx.all(
        Slice,
        """
        SELECT first_date, last_date, first_time, last_time, patient_id
        FROM takeover_slices
        WHERE source = %(source)s AND state = 'waiting'
        ORDER BY last_date DESC, last_time DESC, patient_id
        LIMIT 1
        """,
        source=source,
    )
    return found[0] if found else None


def count_waiting_slices(tx: WriterTransaction, source: str) -> int:
    """How many slices are to be listed."""
    return tx.value(
        "SELECT count(*) FROM takeover_slices WHERE source = %(source)s AND state = 'waiting'", source=source
    )


def incomplete_slices(tx: WriterTransaction, source: str) -> list[Slice]:
    """The slices that are not proven to be listed whole, newest first."""
    return tx.all(
        Slice,
        """
        SELECT first_date, last_date, first_time, last_time, patient_id
        FROM takeover_slices
        WHERE source = %(source)s AND state = 'incomplete'
        ORDER BY last_date DESC, last_time DESC, patient_id
        """,
        source=source,
    )


def close_slice(tx: WriterTransaction, source: str, part: Slice, state: str) -> None:
    """A slice was listed, split, or is not proven to be listed whole."""
    tx.run(
        """
        UPDATE takeover_slices
        SET state = %(state)s
        WHERE source = %(source)s AND first_date = %(first_date)s AND last_date = %(last_date)s
            AND first_time = %(first_time)s AND last_time = %(last_time)s AND patient_id = %(patient_id)s
        """,
        source=source,
        state=state,
        **asdict(part),
    )


def note_source(tx: WriterTransaction, source: str) -> None:
    """Note that an archive is copied."""
    tx.run("INSERT INTO takeover_sources (source) VALUES (%(source)s) ON CONFLICT DO NOTHING", source=source)


def compare_again(tx: WriterTransaction, source: str, since: str) -> None:
    """Studies from a date on wait again: they may have grown."""
    tx.run(
        """
        UPDATE takeover_studies
        SET state = 'waiting', changed_at = now()
        WHERE source = %(source)s AND state = 'copied' AND study_date >= %(since)s
        """,
        source=source,
        since=since,
    )


def add_studies(tx: WriterTransaction, source: str, studies: Sequence[ForeignStudy]) -> None:
    """Note studies; what became of those that are known stays."""
    for study in studies:
        tx.run(
            """
            INSERT INTO takeover_studies (source, study_instance_uid, patient_id, accession_number, study_date)
            VALUES (%(source)s, %(uid)s, %(patient_id)s, %(accession_number)s, %(study_date)s)
            ON CONFLICT DO NOTHING
            """,
            source=source, uid=study.study_instance_uid, patient_id=study.patient_id,
            accession_number=study.accession_number, study_date=study.study_date,
        )  # fmt: skip


def studies_to_copy(tx: WriterTransaction, source: str) -> list[str]:
    """Study Instance UIDs of what is not whole yet, newest first, what failed before last."""
    return tx.values(
        """
        SELECT study_instance_uid
        FROM takeover_studies
        WHERE source = %(source)s AND state <> 'copied'
        ORDER BY state <> 'waiting', study_date DESC, study_instance_uid
        """,
        source=source,
    )


def save_outcome(tx: WriterTransaction, source: str, study_instance_uid: str, outcome: Outcome) -> None:
    """Keep what became of a study."""
    tx.run(
        """
        UPDATE takeover_studies
        SET state = %(state)s, instances = %(instances)s, missing = %(missing)s, verified = %(verified)s,
            detail = %(detail)s, changed_at = now()
        WHERE source = %(source)s AND study_instance_uid = %(uid)s
        """,
        source=source, uid=study_instance_uid, state=outcome.state, instances=outcome.instances,
        missing=outcome.missing, verified=outcome.verified, detail=outcome.detail,
    )  # fmt: skip


def report(tx: WriterTransaction, source: str) -> list[ReportLine]:
    """Every study of a foreign archive, what is not whole first."""
    return tx.all(
        ReportLine,
        """
        SELECT study_instance_uid, study_date, state, instances, missing, verified, detail
        FROM takeover_studies
        WHERE source = %(source)s
        ORDER BY state = 'copied', study_date DESC, study_instance_uid
        """,
        source=source,
    )


def counts(tx: WriterTransaction, source: str) -> Counts:
    """How far copying has come."""
    return tx.all(
        Counts,
        """
        SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'copied') AS copied,
            count(*) FILTER (WHERE state = 'differs') AS differs, count(*) FILTER (WHERE state = 'failed') AS failed,
            (SELECT count(*) FROM takeover_slices WHERE source = %(source)s AND state = 'incomplete') AS incomplete
        FROM takeover_studies
        WHERE source = %(source)s
        """,
        source=source,
    )[0]


# What has not come yet


@dataclass(frozen=True, slots=True)
class Source:
    """A foreign archive that is copied: whether it is asked for what has not come, and how far copying has come."""

    source: str
    answers_queries: bool
    waiting: int
    copied: int
    differs: int
    failed: int
    incomplete: int


async def all_sources(tx: Transaction) -> list[Source]:
    """Every foreign archive."""
    return await tx.all(
        Source,
        """
        SELECT t.source, t.answers_queries, s.waiting, s.copied, s.differs, s.failed,
            (SELECT count(*) FROM takeover_slices p WHERE p.source = t.source AND p.state = 'incomplete') AS incomplete
        FROM takeover_sources t
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
                count(*) FILTER (WHERE state = 'copied') AS copied,
                count(*) FILTER (WHERE state = 'differs') AS differs,
                count(*) FILTER (WHERE state = 'failed') AS failed
            FROM takeover_studies
            WHERE takeover_studies.source = t.source
        ) s
        ORDER BY t.source
        """,
    )


async def sources_that_answer(tx: Transaction) -> list[str]:
    """The foreign archives that are asked for what has not come."""
    return await tx.values("SELECT source FROM takeover_sources WHERE answers_queries ORDER BY source")


async def answer_queries(tx: Transaction, source: str) -> None:
    """Have a foreign archive asked, whether it is copied already or will be."""
    await tx.run(
        """
        INSERT INTO takeover_sources (source, answers_queries)
        VALUES (%(source)s, true)
        ON CONFLICT (source) DO UPDATE
        SET answers_queries = true
        """,
        source=source,
    )


async def leave_out(tx: Transaction, source: str) -> int:
    """Have a foreign archive not asked any more; 0 where it is not known."""
    return await tx.run("UPDATE takeover_sources SET answers_queries = false WHERE source = %(source)s", source=source)


async def studies_here(tx: Transaction, study_instance_uids: Sequence[str]) -> list[str]:
    """Which of these studies are here, whoever may see them."""
    return await tx.values(
        "SELECT study_instance_uid FROM imaging_studies WHERE study_instance_uid = ANY(%(uids)s)",
        uids=list(study_instance_uids),
    )


@dataclass(frozen=True, slots=True)
class Absent:
    """A study that has not come. `in_part`: something of it is here."""

    study_instance_uid: str
    in_part: bool


async def studies_not_come(tx: Transaction, study_instance_uids: Sequence[str], sources: Sequence[str]) -> list[Absent]:
    """Which of these studies are not here, or in part perhaps, since copying them from one of these sources waits."""
    return await tx.all(
        Absent,
        """
        SELECT asked.uid AS study_instance_uid, s.id IS NOT NULL AS in_part
        FROM unnest(%(uids)s::text[]) AS asked (uid)
        LEFT JOIN imaging_studies s ON s.study_instance_uid = asked.uid
        WHERE s.id IS NULL
            OR EXISTS (
                SELECT
                FROM takeover_studies t
                WHERE t.source = ANY(%(sources)s) AND t.study_instance_uid = asked.uid AND t.state = 'waiting'
            )
        """,
        uids=list(study_instance_uids),
        sources=list(sources),
    )
