"""The jobs: which function does what was enqueued under which name. One line each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from radiology.billing import posting
from radiology.billing.refreshing import JOB as BILLING
from radiology.data_subjects import copies, erasures
from radiology.data_subjects import work as data_subjects
from radiology.deidentification import exports
from radiology.deidentification import work as deidentification
from radiology.delivery.availability import actions as availability
from radiology.delivery.commitment import actions as inquiries
from radiology.delivery.film import actions as film
from radiology.delivery.moves import actions as moves
from radiology.delivery.routing import sending as routing
from radiology.external.notifications import mailing
from radiology.hl7.outgoing import sending as hl7
from radiology.kit import jobs
from radiology.modality_worklist import forwarding
from radiology.prefetch import actions as prefetch
from radiology.prefetch import following as prefetching
from radiology.remotes.pulls import actions as pulls
from radiology.scheduling.reminders import actions as reminders
from radiology.sensitivity import actions as sensitivity
from radiology.studies.actions import commit
from radiology.studies.archive import Archive
from radiology.workitems import notices

Work = Callable[[Archive, Mapping[str, Any]], Awaitable[None]]

HANDLERS: Mapping[str, Work] = {
    availability.JOB: availability.notify,
    BILLING: lambda archive, arguments: posting.post(archive.app, arguments),
    commit.JOB: commit.report,
    inquiries.JOB: inquiries.ask,
    copies.JOB: data_subjects.run,
    erasures.JOB: erasures.run,
    exports.JOB: deidentification.run,
    film.JOB: film.print_film,
    mailing.JOB: lambda archive, arguments: mailing.send(archive.app.db, archive.app.settings, arguments),
    hl7.JOB: lambda archive, arguments: hl7.send(archive.app, arguments),
    moves.JOB: moves.move,
    prefetching.JOB: prefetch.run,
    pulls.JOB: pulls.pull,
    reminders.JOB: lambda archive, arguments: reminders.send(archive.app, arguments),
    routing.JOB: routing.deliver,
    sensitivity.JOB: lambda archive, arguments: sensitivity.relabel(archive.app, arguments),
    forwarding.JOB: lambda archive, arguments: forwarding.send(archive.app, arguments),
    notices.JOB: lambda archive, arguments: notices.send_reports(archive.app, arguments),
}


def handlers(archive: Archive) -> dict[str, jobs.Handler]:
    """The functions of `HANDLERS` over this archive."""

    def over(work: Work) -> jobs.Handler:
        return lambda arguments: work(archive, arguments)

    return {name: over(work) for name, work in HANDLERS.items()}
