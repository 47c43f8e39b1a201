"""Every route of doses, exposures, rejects, tests of devices and incidents."""

from typing import Final

from fastapi import APIRouter

from radiology.quality.dose.routes import router as doses
from radiology.quality.exposure.routes import router as exposures
from radiology.quality.incidents.routes import router as incidents
from radiology.quality.peer_review.routes import router as peer_review
from radiology.quality.rejects.routes import router as rejects
from radiology.quality.tests.routes import router as tests

routers: Final[tuple[APIRouter, ...]] = (doses, exposures, rejects, tests, incidents, peer_review)
