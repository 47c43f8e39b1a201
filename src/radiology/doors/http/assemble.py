"""The HTTP service: every route of every feature in one application.

Everything needs an actor (`front.py`) unless it is on the short public list there.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from radiology import __version__
from radiology.access.accounts import Authenticator
from radiology.access.bearer import BearerTokens
from radiology.access.identity_provider import IdentityProvider
from radiology.access.model import SYSTEM
from radiology.access.provider_claims import mapping_of
from radiology.accounts.own.routes import router as own_account
from radiology.accounts.routes import router as accounts
from radiology.app import App
from radiology.application_entities.routes import router as application_entities
from radiology.associations.routes import router as associations
from radiology.audit.routes import router as audit
from radiology.audit.trail import Access
from radiology.billing.reading_fees.routes import router as reading_fees
from radiology.billing.receipts.routes import router as receipts
from radiology.billing.routes import router as billing
from radiology.break_glass.routes import router as break_glass
from radiology.data_subjects.routes import router as data_subjects
from radiology.deidentification.routes import router as deidentification
from radiology.delivery.commitment.routes import router as commitments
from radiology.delivery.film.routes import router as film
from radiology.delivery.moves.routes import router as moves
from radiology.delivery.routing.routes import router as routing
from radiology.doors.dicomweb.permitted import Permitted
from radiology.doors.fhir.imaging_studies import router as imaging_studies
from radiology.doors.fhir.service_requests import router as service_requests
from radiology.doors.http import changes, fonts, health, light, login, oidc, opening, problems, viewer
from radiology.doors.http.documentation import describe
from radiology.doors.http.documentation import routes as documentation
from radiology.doors.http.feed import Feed
from radiology.doors.http.front import Front
from radiology.doors.http.searching import SearchLimit
from radiology.facilities.choosing.routes import router as choosing
from radiology.facilities.devices.routes import router as devices
from radiology.facilities.licences.routes import router as licences
from radiology.facilities.operators.routes import router as operators
from radiology.facilities.routes import router as facilities
from radiology.facilities.sheets.routes import router as sheets
from radiology.hl7.outgoing.routes import router as hl7_receivers
from radiology.hl7.routes import router as hl7
from radiology.kit.cache import ByteCache
from radiology.kit.cpu import LimitedProcesses
from radiology.modality_worklist.routes import router as worklist
from radiology.orders import accession
from radiology.orders.attachments.routes import router as attachments
from radiology.orders.checking.routes import router as order_checks
from radiology.orders.routes import router as orders
from radiology.patients.routes import router as patients
from radiology.patients.routes import visits_router as visits
from radiology.practitioners.readers.rota.routes import router as rotas
from radiology.practitioners.readers.routes import duties
from radiology.practitioners.readers.routes import router as readers
from radiology.practitioners.readers.routes import sheets as reader_sheets
from radiology.practitioners.routes import delegations, practitioners
from radiology.prefetch.routes import router as prefetch
from radiology.procedures.routes import router as procedures
from radiology.quality.indicators.routes import router as indicators
from radiology.quality.routes import routers as quality
from radiology.reading_worklist.batches.routes import router as reading_batches
from radiology.reading_worklist.offers.routes import router as reading_offers
from radiology.reading_worklist.routes import router as reading_worklist
from radiology.reconciliation.comparing.routes import router as comparing
from radiology.reconciliation.patients.routes import router as patient_repairs
from radiology.reconciliation.quarantine.routes import router as quarantine
from radiology.reconciliation.repairs.routes import router as repairs
from radiology.reconciliation.studies.routes import router as studies_put_right
from radiology.reconciliation.waiting.routes import router as reconciliation
from radiology.relations.routes import router as relations
from radiology.remotes.pulls.routes import router as pulls
from radiology.remotes.routes import router as remotes
from radiology.reports.outdated.routes import router as outdated_reports
from radiology.reports.routes import router as reports
from radiology.retention.routes import router as retention
from radiology.retention.routes import storage
from radiology.scheduling.queue.routes import open_to_all as room_links
from radiology.scheduling.queue.routes import router as queues
from radiology.scheduling.rooms.routes import router as rooms
from radiology.scheduling.routes import router as bookings
from radiology.scheduling.stranded.routes import router as stranded
from radiology.scheduling.waiting.routes import router as waiting_list
from radiology.sensitivity.routes import router as sensitivity
from radiology.sharing.routes import router as sharing
from radiology.studies.archive import open_archive
from radiology.studies.labels.routes import router as labels
from radiology.studies.restrictions.routes import router as restrictions
from radiology.studies.routes import router as studies
from radiology.takeover.proxy import Proxy
from radiology.takeover.routes import router as takeover
from radiology.viewing.routes import router as viewing


def build(app: App, *, public_metrics: bool = True) -> FastAPI:
    """The ASGI application of one process. Its lifespan opens database, archive and feed, and closes them."""
    service = FastAPI(
        title="Radiology",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    service.state.app = app
    accession.check(app.settings.accession_number_format, app.settings.facility_code)
    service.state.authenticator = Authenticator(app)
    service.state.identity_provider = provider = IdentityProvider(app.settings)
    service.state.identity_mapping = mapping = mapping_of(app.settings.oidc_mapping)
    service.state.bearer_tokens = BearerTokens(app, provider, mapping)
    service.state.feed = Feed(app)
    service.state.search_limit = SearchLimit(app.settings.searches_per_minute)
    service.state.metadata = ByteCache(app.settings.metadata_cache_bytes)
    service.state.permitted = Permitted()
    service.state.pictures = ByteCache(app.settings.picture_cache_bytes)
    service.state.decoders = LimitedProcesses(app.settings.decoding_processes, seconds=app.settings.decoding_seconds)
    service.router.routes.extend([*_dicomweb(), *health.routes, *documentation])
    service.router.routes.extend([*fonts.routes, *login.routes, *oidc.routes, *opening.routes])
    service.router.routes.extend([*viewer.routes, *light.routes])
    service.router.routes.extend(_rest())
    problems.install(service)
    describe(service)
    service.add_middleware(Front, settings=app.settings, public_metrics=public_metrics)
    return service


@cache
def _rest() -> Sequence[BaseRoute]:
    """The routes of all features, once for the process: what each needs is worked out when it is asked first."""
    routers = (
        order_checks,
        orders,
        attachments,
        service_requests,
        imaging_studies,
        procedures,
        studies,
        reading_worklist,
        reading_offers,
        reading_batches,
        billing,
        receipts,
        reading_fees,
        outdated_reports,
        reports,
        changes.router,
        accounts,
        own_account,
        application_entities,
        associations,
        audit,
        worklist,
        sheets,
        licences,
        facilities,
        devices,
        operators,
        rooms,
        stranded,
        bookings,
        queues,
        waiting_list,
        room_links,
        commitments,
        film,
        moves,
        routing,
        remotes,
        pulls,
        takeover,
        prefetch,
        choosing,
        hl7,
        hl7_receivers,
        viewing,
        sharing,
        data_subjects,
        retention,
        storage,
        break_glass,
        sensitivity,
        labels,
        restrictions,
        relations,
        practitioners,
        readers,
        reader_sheets,
        duties,
        rotas,
        delegations,
        reconciliation,
        comparing,
        repairs,
        studies_put_right,
        quarantine,
        deidentification,
        *quality,
        indicators,
        visits,
        patient_repairs,
        patients,
        *_dicom_over_rest(),
    )
    every = APIRouter()
    for router in routers:
        every.include_router(router)
    return every.routes


def _dicomweb() -> Sequence[BaseRoute]:
    if find_spec("radiology.doors.dicomweb.routes") is None:
        return []
    return import_module("radiology.doors.dicomweb.routes").routes


def _dicom_over_rest() -> Sequence[Any]:
    """The specification's own DICOM operations below /api/radiology/dicom."""
    if find_spec("radiology.doors.dicomweb.rest") is None:
        return []
    return [import_module("radiology.doors.dicomweb.rest").router]


@asynccontextmanager
async def _lifespan(service: FastAPI) -> AsyncGenerator[None]:
    app: App = service.state.app
    await app.db.open()
    archive = open_archive(app)
    service.state.archive = opened = archive.__enter__()
    service.state.proxy = Proxy(service.state.archive)
    feed: Feed = service.state.feed
    await feed.open()
    opened.trail.keep(Access(SYSTEM.id, "service.start", "http"), after_the_fact=True)
    try:
        yield
    finally:
        opened.trail.keep(Access(SYSTEM.id, "service.stop", "http"), after_the_fact=True)
        await feed.close()
        service.state.decoders.close()
        # Leaving waits until what has arrived is written: that wait must not hold the event loop.
        await asyncio.to_thread(archive.__exit__, None, None, None)
        await app.db.close()
