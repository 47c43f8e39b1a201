"""QIDO-RS and C-FIND leave sensitive studies out, or mask them where that is configured; nothing is retrieved."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from leaks.conftest import World, a_study, belongs
from node import KNOWN, running_node
from query import found, identifier, values
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings

#: What C-FIND says of a sensitive study, by the sensitive access of who asks.
DESCRIBED = {"none": [], "mask": ["Sensitive imaging study"], "full": ["WithinBREAST study"]}


@pytest.mark.anyio
async def test_s74_by_dicomweb(world: World, app: App, client_as: Callable[..., Awaitable[httpx2.AsyncClient]]) -> None:
    client = await client_as("radiographer")
    await belongs(app, "radiographer")
    for parameters in ({}, {"ModalitiesInStudy": "MG"}, {"StudyInstanceUID": world.breast.uid}):
        assert world.breast.uid not in (await client.get("/dicomweb/studies", params=parameters)).text
    image = world.breast.stored.objects[0]
    study = f"/dicomweb/studies/{world.breast.uid}"
    below = f"{study}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
    paths = (study, f"{study}/metadata", f"{study}/thumbnail", below, f"{below}/frames/1", f"{below}/rendered")
    for path in paths:
        assert (await client.get(path)).status_code == 404, path
    clinician = await client_as("referrer")
    await belongs(app, "referrer")
    for path in paths:
        assert (await clinician.get(path)).status_code == 403, path


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
@pytest.mark.parametrize(("access", "described"), DESCRIBED.items())
def test_s74_by_dimse(settings: Settings, access: str, described: list[str]) -> None:
    with running_node(settings) as node:
        node.register(ApplicationEntity(KNOWN, sensitive_access=access))
        study = node.wait(a_study(node.app, "BREAST", "LOCAL", "MG", ["S2"]))
        asked = {"StudyDescription": "", "StudyInstanceUID": "", "ModalitiesInStudy": "", "StudyTime": ""}
        answers = found(node, identifier("STUDY", **asked))
        assert values(answers, "StudyDescription") == described
        whole = 1 if access == "full" else 0
        assert len(found(node, identifier("STUDY", **asked | {"ModalitiesInStudy": "MG"}))) == whole
        assert len(found(node, identifier("STUDY", **asked | {"StudyTime": "130000-140000"}))) == whole
        assert len(found(node, identifier("STUDY", **asked | {"AccessionNumber": "ACCBREAST"}))) == len(described)
        series = identifier("SERIES", StudyInstanceUID=study.uid, SeriesInstanceUID="")
        assert len(found(node, series)) == whole
