"""SQL of what each application entity asked its worklist for last."""

from dataclasses import dataclass
from datetime import datetime

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class LastQuery:
    """The last query of an application entity: when, how many answers, the keys of the step, and which others."""

    asked_at: datetime
    answers: int
    modality: str
    station: str
    start_date: str
    others: list[str]


async def save(tx: Transaction, ae_title: str, query: LastQuery) -> None:
    """Keep the last query of an application entity instead of the one before."""
    await tx.run(
        """
        INSERT INTO worklist_queries (ae_title, asked_at, answers, modality, station, start_date, others)
        VALUES (%(ae_title)s, %(asked_at)s, %(answers)s, %(modality)s, %(station)s, %(start_date)s, %(others)s)
        ON CONFLICT (ae_title) DO UPDATE
        SET asked_at = excluded.asked_at,
            answers = excluded.answers,
            modality = excluded.modality,
            station = excluded.station,
            start_date = excluded.start_date,
            others = excluded.others
        """,
        ae_title=ae_title,
        asked_at=query.asked_at,
        answers=query.answers,
        modality=query.modality,
        station=query.station,
        start_date=query.start_date,
        others=query.others,
    )


async def last_query(tx: Transaction, ae_title: str) -> LastQuery | None:
    """The last query of an application entity, None for one that never asked."""
    return await tx.maybe(
        LastQuery,
        """
        SELECT asked_at, answers, modality, station, start_date, others
        FROM worklist_queries
        WHERE ae_title = %(ae_title)s
        """,
        ae_title=ae_title,
    )
