"""The timetable: which task is done how often. One line each."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from radiology.associations.actions import forget_old_traces
from radiology.audit.forwarding import forward
from radiology.audit.sealing import drop_old_months, seal_arrivals
from radiology.audit.verifying import verify_monthly
from radiology.billing import following as billing
from radiology.billing.reading_fees import actions as reading_fees
from radiology.break_glass import actions as break_glass
from radiology.data_subjects import copies, erasures
from radiology.deidentification.exports import tend
from radiology.delivery.availability.actions import follow_events
from radiology.delivery.moves import actions as moves
from radiology.delivery.routing import following
from radiology.delivery.routing import sending as routing
from radiology.doors.http import health
from radiology.dose import following as dose
from radiology.errors import Unavailable
from radiology.facilities.licences.actions import warn as warn_of_licences
from radiology.hl7 import receiving as hl7
from radiology.hl7.outgoing import following as hl7_outgoing
from radiology.kit import outbox
from radiology.kit.log import get_logger
from radiology.modality_worklist.actions.status import expire
from radiology.orders import following as orders
from radiology.orders.attachments import actions as attachments
from radiology.practitioners.readers import actions as readers
from radiology.practitioners.readers.rota import actions as rota
from radiology.prefetch import following as prefetch
from radiology.procedures import catalogue as procedures
from radiology.quality.dose import actions as dose_notes
from radiology.quality.indicators import following as indicators
from radiology.quality.indicators.counting import count_due, mark_days_of_devices
from radiology.quality.indicators.figures import tell_figures
from radiology.quality.indicators.watching import watch
from radiology.quality.peer_review import following as peer_review
from radiology.quality.tests import actions as device_tests
from radiology.reading_worklist import following as reading
from radiology.reading_worklist.offers import tending as reading_offers
from radiology.remotes.health.actions import check_due
from radiology.reports.outdated import following as outdated
from radiology.retention import forecast, purging, repairing, verifying
from radiology.scheduling.actions import miss as bookings
from radiology.scheduling.reminders import actions as reminders
from radiology.scheduling.waiting import actions as waiting_list
from radiology.scheduling.waits import tell_waits
from radiology.sensitivity import actions as sensitivity
from radiology.studies.actions.recompress import delete_superseded, recompress_due
from radiology.studies.actions.recover import recover
from radiology.studies.actions.settle import settle_studies
from radiology.studies.actions.transfers import follow_transfers
from radiology.studies.archive import Archive

#: An object may wait this long for its own process to index it; later it is taken for lost and indexed by the worker.
INDEXED_BY_THEN_SECONDS = 300
ABANDONED_PART_SECONDS = 24 * 3600

log = get_logger()


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is done again and again. `first`, where given, is done once at the start instead."""

    name: str
    every_seconds: float
    do: Callable[[], Awaitable[int]]
    first: Callable[[], Awaitable[int]] | None = None


def of(archive: Archive) -> list[Task]:
    """All tasks."""
    app = archive.app

    async def place_events() -> int:
        async with app.db.transaction() as tx:
            return await outbox.place(tx)

    async def discard_parts() -> int:
        return await asyncio.to_thread(app.objects.discard_parts, older_than_seconds=ABANDONED_PART_SECONDS)

    return [
        Task("events.place", 1, place_events),
        Task("availability.follow", 1, lambda: follow_events(app)),
        Task("moves.start", 1, lambda: moves.start_due(app)),
        Task("routing.follow", 1, lambda: following.follow_events(app)),
        Task("routing.start", 1, lambda: routing.start_due(app)),
        Task("orders.follow", 1, lambda: orders.follow_events(app)),
        Task("reading.follow", 0.5, lambda: reading.follow_events(app)),
        Task("reading.release-idle", 15, lambda: reading.release_idle(app)),
        Task("reading.tell-late", 5, lambda: reading.tell_late(app)),
        Task("peer-review.follow", 5, lambda: peer_review.follow_events(app)),
        Task("reading-fees.follow", 5, lambda: reading_fees.follow_events(app)),
        Task("billing.follow", 1, lambda: billing.follow_events(app)),
        Task("prefetch.follow", 1, lambda: prefetch.follow_events(app)),
        Task("dose.follow", 1, lambda: dose.follow_events(app)),
        Task("dose-notes.follow", 1, lambda: dose_notes.follow_events(app)),
        Task("device-tests.see-to", 3600, lambda: device_tests.see_to_tests(app)),
        Task("hl7.follow", 1, lambda: hl7_outgoing.follow_events(app)),
        Task("hl7.forget", 3600, lambda: hl7.forget_old(app)),
        Task("bookings.follow", 1, lambda: bookings.follow_events(app)),
        Task("bookings.miss", 30, lambda: bookings.mark_missed(app)),
        Task("reading-offers.tend", 2, lambda: reading_offers.tend(app)),
        Task("readers.registrations", 3600, lambda: readers.warn_of_registrations(app)),
        Task("rota.gaps", 300, lambda: rota.warn_of_gaps(app)),
        Task("waiting-list.offer", 10, lambda: waiting_list.offer_free(app)),
        Task("waits.tell", 300, lambda: tell_waits(app)),
        Task("reminders.due", 30, lambda: reminders.remind_due(app)),
        Task("licences.warn", 3600, lambda: warn_of_licences(app)),
        Task("exports.tend", 60, lambda: tend(app)),
        Task("record-copies.tend", 60, lambda: copies.tend(app)),
        Task("erasures.tend", 60, lambda: erasures.tend(app)),
        Task("retention.tend", 60, lambda: purging.tend(app)),
        Task("break-glass.follow", 30, lambda: break_glass.follow(app)),
        Task("sensitivity.follow", 600, lambda: sensitivity.follow_shipped(app)),
        Task("procedures.follow", 600, lambda: procedures.follow_shipped(app)),
        Task("remotes.check", 5, lambda: check_due(app)),
        Task("performed-steps.follow", 5, lambda: follow_transfers(app)),
        Task("worklist.expire", 600, lambda: expire(app)),
        Task("reports.follow", 1, lambda: outdated.follow(app)),
        Task("indicators.follow", 5, lambda: indicators.follow_events(app)),
        Task("indicators.versions", 60, lambda: indicators.follow_versions(app)),
        Task("indicators.count", 10, lambda: count_due(app)),
        Task("indicators.devices", 600, lambda: mark_days_of_devices(app)),
        Task("facility-figures.tell", 3600, lambda: tell_figures(app)),
        Task("availability.watch", 60, lambda: watch(app, health.check)),
        Task("studies.settle", 5, lambda: settle_studies(app)),
        Task(
            "objects.recover",
            600,
            lambda: recover(archive, older_than_seconds=INDEXED_BY_THEN_SECONDS),
            first=lambda: recover(archive, older_than_seconds=0),
        ),
        Task("objects.recompress", 60, lambda: recompress_due(app)),
        Task("objects.delete-superseded", 600, lambda: delete_superseded(app)),
        Task("attachments.tidy", 3600, lambda: attachments.tidy(app)),
        Task("objects.discard-parts", 3600, discard_parts),
        Task("objects.verify", 10, lambda: verifying.verify_due(app)),
        Task("storage.sample", 3600, lambda: forecast.sample(app)),
        Task("objects.repair", 60, lambda: repairing.repair_due(archive)),
        Task("audit.seal", 0.5, lambda: seal_arrivals(app)),
        Task("audit.forward", 2, lambda: forward(app)),
        Task("audit.verify", 3600, lambda: verify_monthly(app)),
        Task("audit.drop-old", 24 * 3600, lambda: drop_old_months(app)),
        Task("associations.forget", 60, lambda: forget_old_traces(app)),
    ]


async def keep(task: Task, stopped: asyncio.Event) -> None:
    """Do a task on its timetable until told to stop. A task that fails is logged and tried again."""
    do = task.first or task.do
    while not stopped.is_set():
        try:
            count = await do()
            do = task.do
            if count:
                log.debug("task.done", step=task.name, count=count)
        except Unavailable as error:
            log.warning("task.postponed", step=task.name, exc_info=error)
        except Exception as error:  # A task that fails must not end the others.
            log.error("task.failed", step=task.name, exc_info=error)
        try:
            await asyncio.wait_for(stopped.wait(), task.every_seconds)
        except TimeoutError:
            continue
