"""SQL of readers. `r` is readers."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, LiteralString
from uuid import UUID

from radiology.external.practitioners.model import Practitioner
from radiology.kit.db import Transaction, as_json
from radiology.practitioners.readers.model import Absence, Contract, Home, Reader, Recusals, Scope, Shift

_COLUMNS: LiteralString = """active, subspecialties, languages, sex, age_groups, certificates, contracts,
    home_facility, home_district, home_division, abroad, abroad_approval, cap_rvu, reads_sensitive, shifts, absences,
    recused_patients, recused_facilities"""
_VALUES: LiteralString = """%(active)s::boolean, %(subspecialties)s::text[], %(languages)s::text[], %(sex)s::text,
    %(age_groups)s::text[], %(certificates)s::text[], %(contracts)s::jsonb, %(home_facility)s::text,
    %(home_district)s::text, %(home_division)s::text, %(abroad)s::boolean, %(abroad_approval)s::text,
    %(cap_rvu)s::real, %(reads_sensitive)s::boolean, %(shifts)s::jsonb, %(absences)s::jsonb,
    %(recused_patients)s::uuid[], %(recused_facilities)s::text[]"""


@dataclass(frozen=True, slots=True)
class Row:
    """A reader as the table has it, with the account, and what quality says."""

    practitioner: str
    version: int
    active: bool
    subspecialties: list[str]
    languages: list[str]
    sex: str
    age_groups: list[str]
    certificates: list[str]
    contracts: list[dict[str, Any]]
    home_facility: str
    home_district: str
    home_division: str
    abroad: bool
    abroad_approval: str
    cap_rvu: float
    reads_sensitive: bool
    shifts: list[dict[str, Any]]
    absences: list[dict[str, Any]]
    recused_patients: list[UUID]
    recused_facilities: list[str]
    account: str
    discrepancy_rate: float | None

    def reader(self, known: Practitioner | None) -> Reader:
        """With what the registry knows; whom it does not know practises nowhere."""
        return Reader(
            known or Practitioner(self.practitioner, "", active=False),
            self.account,
            frozenset(self.subspecialties),
            frozenset(self.languages),
            self.sex,
            frozenset(self.age_groups),
            frozenset(self.certificates),
            tuple(map(_contract, self.contracts)),
            Home(self.home_facility, self.home_district, self.home_division, self.abroad),
            self.cap_rvu,
            self.reads_sensitive,
            self.abroad_approval,
            Recusals(frozenset(self.recused_patients), frozenset(self.recused_facilities)),
            tuple(map(_shift, self.shifts)),
            tuple(Absence(_day(each["begins_on"]), _day(each["ends_on"])) for each in self.absences),
            self.active,
        )


_ROW: LiteralString = (
    "SELECT r.practitioner, r.version, "
    + _COLUMNS
    + """, coalesce((
        SELECT 'account:' || min(a.name)
        FROM accounts AS a
        WHERE a.practitioner_reference = r.practitioner
          AND a.disabled_at IS NULL
          AND a.role IN ('consultant', 'radiologist')
    ), '') AS account, f.discrepancy_rate
    FROM readers AS r
    LEFT JOIN reader_figures AS f ON f.practitioner = r.practitioner
    """
)


async def everybody(tx: Transaction, *, active_only: bool = False) -> list[Row]:
    """All readers in the order of their references."""
    return await tx.all(
        Row, _ROW + " WHERE r.active OR NOT %(active_only)s ORDER BY r.practitioner", active_only=active_only
    )


async def one(tx: Transaction, practitioner: str) -> Row | None:
    """One reader."""
    return await tx.maybe(Row, _ROW + " WHERE r.practitioner = %(practitioner)s", practitioner=practitioner)


async def version_of(tx: Transaction, practitioner: str) -> int | None:
    """The version of a reader, who is kept from others until the transaction ends."""
    return await tx.value(
        "SELECT version FROM readers WHERE practitioner = %(practitioner)s FOR NO KEY UPDATE", practitioner=practitioner
    )


async def insert(tx: Transaction, practitioner: str, columns: Mapping[str, Any]) -> None:
    """Add a reader. `columns` holds every parameter above. Raises Conflict for who is one."""
    await tx.run(
        "INSERT INTO readers (practitioner, " + _COLUMNS + ") VALUES (%(practitioner)s, " + _VALUES + ")",
        practitioner=practitioner,
        **_parameters(columns),
    )


async def save(tx: Transaction, practitioner: str, columns: Mapping[str, Any]) -> bool:
    """Change a reader who is locked; False where it says so already. `columns` holds every parameter above."""
    return bool(
        await tx.run(
            "UPDATE readers SET (" + _COLUMNS + ", version) = (" + _VALUES + ", version + 1) "
            "WHERE practitioner = %(practitioner)s AND (" + _COLUMNS + ") IS DISTINCT FROM (" + _VALUES + ")",
            practitioner=practitioner,
            **_parameters(columns),
        )
    )


async def note_figures(tx: Transaction, practitioner: str, *, discrepancy_rate: float | None, now: datetime) -> None:
    """What peer review says of a reader: the share of reviewed reports with a major discrepancy, None for too few."""
    await tx.run(
        """
        INSERT INTO reader_figures (practitioner, discrepancy_rate, counted_at)
        VALUES (%(practitioner)s, %(discrepancy_rate)s, %(now)s)
        ON CONFLICT (practitioner) DO UPDATE
        SET discrepancy_rate = excluded.discrepancy_rate, counted_at = excluded.counted_at
        """,
        practitioner=practitioner,
        discrepancy_rate=discrepancy_rate,
        now=now,
    )


async def begin_warning(tx: Transaction, subject: str, *, now: datetime) -> bool:
    """Whether somebody is to be warned of this: once, however many ask."""
    return bool(
        await tx.run(
            """
            INSERT INTO reader_warnings (subject, warned_at)
            VALUES (%(subject)s, %(now)s)
            ON CONFLICT DO NOTHING
            """,
            subject=subject,
            now=now,
        )
    )


async def holders(tx: Transaction, duty: str, facility_code: str) -> Sequence[str]:
    """The accounts that hold a duty for a facility, or for all (`*`)."""
    return await tx.values(
        """
        SELECT account
        FROM duty_holders
        WHERE duty = %(duty)s
          AND facility_code IN (%(facility_code)s, '*')
        ORDER BY account
        """,
        duty=duty,
        facility_code=facility_code,
    )


async def duties_body(tx: Transaction) -> bytes:
    """Who holds which duty, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('duty', duty, 'facilityCode', facility_code, 'accounts', accounts)
            ORDER BY duty, facility_code), '[]')::text
        FROM (
            SELECT duty, facility_code, array_agg(account ORDER BY account) AS accounts
            FROM duty_holders
            GROUP BY duty, facility_code
        ) AS held
        """
    )


async def give_duty(tx: Transaction, duty: str, facility_code: str, accounts: Sequence[str]) -> None:
    """These accounts hold a duty for a facility, and no others."""
    await tx.run(
        """
        WITH taken AS (
            DELETE FROM duty_holders
            WHERE duty = %(duty)s
              AND facility_code = %(facility_code)s
              AND account <> ALL(%(accounts)s)
        )
        INSERT INTO duty_holders (duty, facility_code, account)
        SELECT %(duty)s, %(facility_code)s, unnest(%(accounts)s::text[])
        ON CONFLICT DO NOTHING
        """,
        duty=duty,
        facility_code=facility_code,
        accounts=list(accounts),
    )


async def without_account(tx: Transaction, accounts: Sequence[str]) -> Sequence[str]:
    """Which of these, as account:<name>, are none that may sign in."""
    return await tx.values(
        """
        SELECT asked
        FROM unnest(%(accounts)s::text[]) AS asked
        WHERE NOT EXISTS (SELECT FROM accounts WHERE 'account:' || name = asked AND disabled_at IS NULL)
        """,
        accounts=list(accounts),
    )


def _parameters(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {**columns, **{name: as_json(columns[name]) for name in ("contracts", "shifts", "absences")}}


def _contract(stored: Mapping[str, Any]) -> Contract:
    begins_on, ends_on = (stored[name] and _day(stored[name]) for name in ("begins_on", "ends_on"))
    return Contract(Scope(stored["scope"]), stored["place"], begins_on, ends_on)


def _shift(stored: Mapping[str, Any]) -> Shift:
    return Shift(frozenset(stored["days"]), time.fromisoformat(stored["begins"]), time.fromisoformat(stored["ends"]))


def _day(text: str) -> date:
    return date.fromisoformat(text)
