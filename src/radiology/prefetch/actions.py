"""Change rules of prefetch, try them out; find, fetch and send the earlier studies that a rule wants."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.asking import ask
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity, missing
from radiology.application_entities.retries import MINUTES_BETWEEN_ATTEMPTS
from radiology.audit import actions as audit
from radiology.delivery.moves import actions as moves
from radiology.errors import Conflict, NotFound, PeerFailed, RadiologyError, Unprocessable
from radiology.kit import jobs
from radiology.kit.log import get_logger
from radiology.prefetch import queries
from radiology.prefetch.model import (
    Candidate,
    Choice,
    Rule,
    Subject,
    choose,
    one_of_each,
)
from radiology.prefetch.queries import Prefetch
from radiology.remotes.pulls import actions as pulls
from radiology.remotes.pulls.model import OVER
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.identity import PatientIdentity
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import Target

ASKED_BY: Final = "prefetch"
#: An archive has no more studies of one patient than this.
MOST_ANSWERS: Final = 200
POLL_SECONDS: Final = 10.0

log = get_logger()


async def save_rule(app: App, actor: Actor, rule: Rule) -> None:
    """Add or change a rule. Raises Unprocessable for what is not in the registry, Conflict for a name that is taken."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if absent := await missing(tx, [*rule.sources, *rule.destinations]):
            raise Unprocessable(f"No application entity is called {' or '.join(absent)}. Register it first.")
        if await queries.has_name(tx, rule.name, other_than=rule.id):
            raise Conflict(f"Another prefetch rule is called {rule.name!r}.")
        await queries.save_rule(tx, rule)
        await audit.record(tx, actor, "prefetch-rule.save", str(rule.id))


async def remove_rule(app: App, actor: Actor, rule_id: UUID) -> None:
    """Forget a rule; what it has begun to fetch still comes. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await queries.remove_rule(tx, rule_id):
            raise NotFound("There is no such prefetch rule.")
        await audit.record(tx, actor, "prefetch-rule.remove", str(rule_id))


async def dry_run(app: App, actor: Actor, rule_id: UUID, study_id: UUID) -> tuple[list[Choice], list[str]]:
    """What a rule would choose for a study, and who could not be asked. Nothing is fetched. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        rule = await queries.rule(tx, rule_id)
        subject = await queries.arrived(tx, study_id)
    if subject is None:
        raise NotFound("There is no such study, or it was fetched itself.")
    return await _choices(app, rule, subject)


# --- The job ----------------------------------------------------------------------------------------------------------


async def run(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """Find what a rule wants, have it fetched, and once it is here have it sent. Raises jobs.Later to be run again."""
    app, prefetch_id = archive.app, UUID(arguments["prefetch"])
    async with app.db.transaction() as tx:
        taken = await queries.take(tx, prefetch_id)
        if taken is None or taken.state in {"done", "failed"}:
            return
        rule = await queries.rule(tx, taken.rule_id)
    if taken.state == "waiting":
        await _find(app, taken, rule)
    await _send(app, taken, rule)


async def _find(app: App, taken: Prefetch, rule: Rule) -> None:
    choices, silent = await _choices(app, rule, taken.subject)
    again = bool(silent) and taken.attempts < len(MINUTES_BETWEEN_ATTEMPTS)
    async with app.db.transaction() as tx:
        await queries.save_choices(tx, taken.id, choices)
        for study in await queries.chosen(tx, taken.id):
            if study.source and study.pull_status is None:
                pull_id = await pulls.place(
                    tx, app, study.source, study.study_instance_uid, priority="medium", asked_by=ASKED_BY,
                    reason=rule.name,
                )  # fmt: skip
                await queries.save_pull(tx, taken.id, study.study_instance_uid, pull_id)
        state = "waiting" if again else "fetching"
        await queries.change(tx, taken.id, state=state, attempts=taken.attempts + 1, sentence=" ".join(silent))
    if again:
        raise jobs.Later(MINUTES_BETWEEN_ATTEMPTS[taken.attempts] * 60)


async def _send(app: App, taken: Prefetch, rule: Rule) -> None:
    """Have what is here sent to the destinations, once everything that comes has come."""
    async with app.db.transaction() as tx:
        now = await queries.take(tx, taken.id)
        if now is None or now.state != "fetching":
            return
        studies = await queries.chosen(tx, taken.id)
        if any(study.pull_status not in {None, *OVER} for study in studies):
            raise jobs.Later(POLL_SECONDS)
        for study in studies:
            for destination in rule.destinations:
                if destination == study.source:
                    continue
                try:
                    move_id = await moves.place(tx, SYSTEM, Target(study.study_instance_uid), destination, "low")
                except (NotFound, Unprocessable) as error:
                    log.warning("prefetch.not-sent", ae_title=destination, reason=error.sentence)
                    continue
                await queries.save_move(tx, taken.id, study.study_instance_uid, move_id)
        lost = sum(study.pull_status in {"failed", "cancelled"} for study in studies)
        sentence = f"{lost} of {len(studies)} studies could not be fetched." if lost else ""
        state = "failed" if studies and lost == len(studies) else "done"
        await queries.change(tx, taken.id, state=state, attempts=now.attempts, sentence=sentence)


async def _choices(app: App, rule: Rule, subject: Subject) -> tuple[list[Choice], list[str]]:
    """What a rule chooses, and a sentence for each archive that could not be asked."""
    async with app.db.transaction() as tx:
        candidates = await queries.local_candidates(tx, subject)
        entities = {title: await find_application_entity(tx, title) for title in rule.sources}
    silent: list[str] = []
    for title, entity in entities.items():
        try:
            if entity is None or not entity.is_callable:
                raise PeerFailed(f"{title} cannot be asked: it is not in the registry, or disabled.")
            candidates += await asyncio.to_thread(_ask, app, entity, subject)
        except RadiologyError as error:
            silent.append(error.sentence)
    today = app.clock.now().astimezone(app.settings.zone)
    oldest = today - timedelta(days=rule.not_older_than_days)
    chosen = choose(rule, subject, one_of_each(candidates), today=_da(today), oldest=_da(oldest))
    return chosen, silent


def _ask(app: App, entity: ApplicationEntity, subject: Subject) -> list[Candidate]:
    """The studies of the patient in another archive. Raises PeerFailed. Blocks: for a thread."""
    keys = [("PatientID", subject.patient_id), ("IssuerOfPatientID", "")]
    answers, _ = ask(app.settings, entity, "STUDY", keys, limit=MOST_ANSWERS)
    return [_candidate(entity.ae_title, answer) for answer in answers if text_of(answer, "0020000D")]


def _candidate(source: str, answer: Mapping[str, Any]) -> Candidate:
    names: Sequence[Mapping[str, str]] = answer.get("00100010", {}).get("Value") or [{}]
    groups = [names[0].get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
    patient = PatientIdentity(
        text_of(answer, "00100020"),
        text_of(answer, "00100021"),
        "=".join(groups).rstrip("="),
        text_of(answer, "00100030"),
        text_of(answer, "00100040"),
    )
    count = text_of(answer, "00201208")
    modalities: list[str] = answer.get("00080061", {}).get("Value") or []
    return Candidate(
        text_of(answer, "0020000D"),
        source,
        patient,
        text_of(answer, "00080020"),
        modalities,
        text_of(answer, "00081030"),
        int(count) if count.isdecimal() else 1,
    )


def _da(moment: datetime) -> str:
    return f"{moment:%Y%m%d}"
