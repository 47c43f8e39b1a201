"""Actor, permissions and roles."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import LiteralString

from radiology.errors import NotPermitted
from radiology.kit.db import Where


class Permission(StrEnum):
    """What somebody may do."""

    READ = "radiology.read"
    WRITE = "radiology.write"
    INTERPRET = "radiology.interpret"
    APPROVE = "radiology.approve"
    ADMINISTER = "radiology.administer"
    SENSITIVE = "radiology.sensitive"
    BREAK_GLASS = "radiology.break-glass"
    SHARE = "radiology.share"
    EXPORT = "radiology.export"
    AUDIT = "radiology.audit"
    PRIVACY = "radiology.privacy"
    RECONCILE = "radiology.reconcile"
    BILL = "radiology.bill"
    QUALITY = "radiology.quality"


class Role(StrEnum):
    """What somebody is; the role decides the permissions."""

    ADMINISTRATOR = "administrator"
    CONSULTANT = "consultant"
    RADIOLOGIST = "radiologist"
    RESIDENT = "resident"
    RADIOGRAPHER = "radiographer"
    REFERRER = "referrer"
    QA = "qa"
    RECORDS = "records"
    CASHIER = "cashier"
    MANAGER = "manager"
    PRIVACY_OFFICER = "privacy-officer"
    PATIENT = "patient"
    SERVICE = "service"


_READ, _WRITE, _BREAK_GLASS, _SHARE = Permission.READ, Permission.WRITE, Permission.BREAK_GLASS, Permission.SHARE
_RADIOLOGIST = frozenset({_READ, _WRITE, Permission.INTERPRET, Permission.APPROVE, _BREAK_GLASS, _SHARE})

#: `radiology.sensitive` is held by nobody because of other rights: who has it sees sensitive studies without treating
#: the patient.
ROLES: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission) - {Permission.SENSITIVE, _BREAK_GLASS},
    Role.CONSULTANT: _RADIOLOGIST,
    Role.RADIOLOGIST: _RADIOLOGIST,
    Role.RESIDENT: frozenset({_READ, _WRITE, Permission.INTERPRET, _BREAK_GLASS}),
    Role.RADIOGRAPHER: frozenset({_READ, _WRITE, Permission.RECONCILE}),
    Role.REFERRER: frozenset({_READ, _BREAK_GLASS}),
    Role.QA: frozenset({_READ, _WRITE, Permission.RECONCILE, Permission.QUALITY}),
    Role.RECORDS: frozenset({_READ, _WRITE, _SHARE, Permission.EXPORT, Permission.RECONCILE}),
    Role.CASHIER: frozenset({Permission.BILL}),
    Role.MANAGER: frozenset({Permission.BILL, Permission.QUALITY}),
    Role.PRIVACY_OFFICER: frozenset(
        {_READ, Permission.SENSITIVE, Permission.AUDIT, Permission.PRIVACY, Permission.EXPORT}
    ),
    Role.PATIENT: frozenset({_READ}),
    Role.SERVICE: frozenset({_READ, _WRITE}),
}


STATION = "application-entity"
"""The role of a calling AE title."""
FRESH = timedelta(minutes=15)
"""What matters most needs that somebody proved who it is so recently."""
RELEASED_AFTER_HOURS = 24
"""A patient sees a study so long after its report was issued, and has paid where the facility waits for that."""

#: Of whom somebody takes care at all is looked up once for a long list, so that the function, which has the last word,
#: is called for few.
_SEEN: LiteralString = """(NOT {s}.sensitive OR (
    EXISTS (
        SELECT FROM care_relations AS caring
        WHERE caring.actor = {carer}
          AND caring.patient_id = {s}.patient_id
          AND caring.ended_at IS NULL
          AND now() >= caring.begins_at
          AND now() < caring.ends_at
    ) AND cares_for({carer}, {breaks_glass}, {s}.patient_id, {s}.study_instance_uid, {s}.facility_code,
        {s}.sensitive_classes)
))"""
_OWN: LiteralString = """EXISTS (
    SELECT FROM care_relations AS own
    WHERE own.actor = {carer}
      AND own.kind = 'self'
      AND own.patient_id = {s}.patient_id
      AND own.ended_at IS NULL
      AND now() >= own.begins_at
      AND now() < own.ends_at
) AND EXISTS (
    SELECT FROM radiology_reports AS released
    WHERE released.study_id = {s}.id
      AND released.status IN ('final', 'amended', 'corrected', 'appended')
      AND released.issued <= now() - make_interval(hours => {hours})
) AND NOT is_held_for_payment({s}.id)"""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which studies a reader may see. This is the only place that says so; every query takes its condition from here.

    facility_codes: of these facilities, None for all. study_instance_uid: this study only. carer: in whose care
    relations a sensitive study is seen. breaks_glass: whether relations by break-glass count. own_only: the released
    studies of the patient that the reader is.
    """

    facility_codes: frozenset[str] | None
    study_instance_uid: str | None = None
    carer: str = ""
    sees_sensitive: bool = False
    breaks_glass: bool = False
    own_only: bool = False

    def add_to(self, where: Where, study: LiteralString, *, also_masked: bool = False) -> None:
        """The condition on imaging_studies, called `study` there.

        `also_masked` lets sensitive studies through that are not seen in full: who says so must mask them.
        """
        _add_facility(where, self.facility_codes, study + ".facility_code")
        if self.study_instance_uid is not None:
            where.add(study + ".study_instance_uid = {uid}", uid=self.study_instance_uid)
        if self.own_only:
            where.add(_of(study, _OWN), carer=self.carer, hours=RELEASED_AFTER_HOURS)
        if not self.sees_sensitive and not also_masked:
            where.clauses.append(self.seen(where, study))

    def add_facility(self, where: Where, column: LiteralString) -> None:
        """The condition on a column that holds a facility."""
        _add_facility(where, self.facility_codes, column)

    def add_to_row(self, where: Where, *, facility: LiteralString, uid: LiteralString) -> None:
        """The condition on what tells of a study: columns that hold the facility and the Study Instance UID."""
        self.add_facility(where, facility)
        if not self.sees_sensitive:
            where.clauses.append(
                "NOT EXISTS (SELECT FROM imaging_studies AS told WHERE told.study_instance_uid = "
                + uid
                + " AND NOT "
                + self.seen(where, "told")
                + ")"
            )

    def seen(self, where: Where, study: LiteralString) -> LiteralString:
        """The SQL of whether a study of these facilities is seen in full; its parameters join those of `where`."""
        if self.sees_sensitive:
            return "TRUE"
        return where.expression(_of(study, _SEEN), carer=self.carer, breaks_glass=self.breaks_glass)


def _add_facility(where: Where, facility_codes: frozenset[str] | None, column: LiteralString) -> None:
    if facility_codes is not None:
        where.add(column + " = ANY({facilities})", facilities=sorted(facility_codes))


def _of(study: LiteralString, condition: LiteralString) -> LiteralString:
    return condition.replace("{s}", study)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. `facility_codes` None means every facility, `study_instance_uid` None every study.

    home_facility: where what is made belongs, of several. cares_as: in whose care relations sensitive studies are
    seen, if not in those of the actor. masks_sensitive: DICOM searches give sensitive studies masked instead of not at
    all. reads_only: nothing leaves the service and nobody is searched for, so break-glass counts. authenticated_at:
    when a person last proved who it is; None for programs and machines, which prove it each time. scopes: of the token,
    which reduce what is permitted, path by path; None where nothing does.
    must_change_password: it is known to somebody else, so nothing is permitted before it is changed.
    """

    id: str
    display: str
    permissions: frozenset[Permission]
    role: str = ""
    facility_codes: frozenset[str] | None = None
    home_facility: str | None = None
    practitioner_reference: str | None = None
    study_instance_uid: str | None = None
    cares_as: str | None = None
    masks_sensitive: bool = False
    reads_only: bool = True
    authenticated_at: datetime | None = None
    scopes: frozenset[str] | None = None
    must_change_password: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether the permission is held."""
        return permission in self.permissions

    def must(self, permission: Permission) -> None:
        """Raise NotPermitted unless the permission is held."""
        if permission not in self.permissions:
            raise NotPermitted(
                f"This needs the permission {permission.value}. Ask an administrator for a role that has it."
            )

    def is_fresh(self, now: datetime) -> bool:
        """Whether the person proved who it is within the last 15 minutes."""
        return self.authenticated_at is not None and now - self.authenticated_at <= FRESH

    def add_facility(self, where: Where, column: LiteralString) -> None:
        """The condition on a column that holds a facility, for who need not be allowed to read studies."""
        _add_facility(where, self.facility_codes, column)

    @property
    def facility_code(self) -> str | None:
        """The facility that what is made belongs to; None for who is of every facility."""
        return self.home_facility or min(self.facility_codes or (), default=None)

    @property
    def reach(self) -> Reach:
        """The studies that this actor may see. Raises NotPermitted for who may not read."""
        self.must(Permission.READ)
        return Reach(
            self.facility_codes,
            self.study_instance_uid,
            self.cares_as or self.id,
            sees_sensitive=self.may(Permission.SENSITIVE),
            breaks_glass=self.reads_only and self.may(Permission.BREAK_GLASS),
            own_only=self.role == Role.PATIENT,
        )

    @property
    def is_shown_masked(self) -> bool:
        """Whether this actor is shown, masked, that there is a sensitive study: not who comes by a link, no patient."""
        return self.study_instance_uid is None and self.role != Role.PATIENT

    @property
    def staff_reach(self) -> Reach:
        """The same for what is more than studies. Raises NotPermitted for a link and for a patient, too."""
        reach = self.reach
        if reach.study_instance_uid is not None:
            raise NotPermitted("This link opens one study, and nothing else.")
        if reach.own_only:
            raise NotPermitted("A patient sees studies and reports of his or her own, and nothing else.")
        return reach

    @property
    def beyond_reading(self) -> "Actor":
        """The actor where images leave the service, or patients are searched for: break-glass does not reach so far."""
        return replace(self, reads_only=False)


SYSTEM = Actor("system", "The service itself", frozenset(Permission), role="system")


def application_entity(
    ae_title: str, *, facility_code: str | None, may_read: bool, may_write: bool, sensitive_access: str = "none"
) -> Actor:
    """A calling AE title as an actor. `sensitive_access`: none, mask or full."""
    granted = {_READ: may_read, _WRITE: may_write, Permission.SENSITIVE: sensitive_access == "full"}
    return Actor(
        f"ae:{ae_title}",
        ae_title,
        frozenset(permission for permission, held in granted.items() if held),
        role=STATION,
        facility_codes=None if facility_code is None else frozenset({facility_code}),
        masks_sensitive=sensitive_access == "mask",
    )
