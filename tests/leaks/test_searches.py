"""Whatever is searched for, what is hidden of a study changes no answer; Hypothesis makes up the searches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaks.conftest import World, belongs
from radiology.app import App

pytestmark = pytest.mark.anyio

TEXTS = ["Within*", "*reast*", "WithinBREAST study", "WithinBREAST^Doctor", "breast", "MG", "CT", "24606-6", "*", "?"]
TIMES = ["130000-140000", "131722", "160000-", "-120000"]
QIDO = {
    "StudyDescription": TEXTS,
    "SeriesDescription": TEXTS,
    "ReferringPhysicianName": TEXTS,
    "ModalitiesInStudy": ["MG", "CT", "MG,DX", "XX"],
    "StudyTime": TIMES,
    "StudyDate": ["20260121", "20260101-"],
    "StudyID": TEXTS,
    "PatientName": ["Name*", "namebreast", "NameBREAST^A"],
    "AccessionNumber": ["ACC*", "ACCBREAST"],
    "NumberOfStudyRelatedInstances": ["1", "7"],
    "includefield": ["all", "StudyDescription", "00081030"],
    "fuzzymatching": ["true", "false"],
    "limit": ["1", "2", "50"],
    "offset": ["0", "1", "2"],
}
REST = {
    "modality": ["MG", "CT", "XX"],
    "procedure": ["24606-6"],
    "date_from": ["2026-01-21", "2026-01-21T14:00:00+06:00"],
    "date_to": ["2026-01-21", "2026-01-21T14:00:00+06:00"],
    "status": ["available", "registered"],
    "accession": ["ACCBREAST", "ACC"],
    "patient": ["IDBREAST"],
    "limit": ["1", "2", "50"],
}
REPORTS = {"status": ["final", "preliminary"], "limit": ["1", "2"]}
SEARCHES = st.one_of(
    st.tuples(
        st.just(path), st.fixed_dictionaries({}, optional={key: st.sampled_from(each) for key, each in keys.items()})
    )
    for path, keys in (
        ("/dicomweb/studies", QIDO), ("/dicomweb/series", QIDO), ("/dicomweb/instances", QIDO),
        ("/api/radiology/studies", REST), ("/api/radiology/reports", REPORTS),
    )
)  # fmt: skip
EXAMPLES = 150


def searches() -> Iterator[list[tuple[str, dict[str, str]]]]:
    """So many searches, the same in every run."""
    found: list[tuple[str, dict[str, str]]] = []

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(SEARCHES)
    def collect(search: tuple[str, dict[str, str]]) -> None:
        found.append(search)

    collect()
    yield found


async def answers_to(client: httpx2.AsyncClient, asked: list[tuple[str, dict[str, str]]]) -> list[object]:
    told: list[object] = []
    for path, parameters in asked:
        answer = await client.get(path, params=parameters)
        headers = sorted((name, value) for name, value in answer.headers.items() if name != "x-request-id")
        told.append((path, parameters, answer.status_code, headers, without_request_id(answer)))
    return told


def without_request_id(answer: httpx2.Response) -> str:
    return answer.text.replace(answer.headers.get("x-request-id", "-"), "")


async def test_no_search_depends_on_what_is_hidden(
    world: World, app: App, client_as: Callable[..., Awaitable[httpx2.AsyncClient]]
) -> None:
    client = await client_as("referrer")
    await belongs(app, "referrer")
    asked = await asyncio.to_thread(lambda: next(searches()))
    before = await answers_to(client, asked)
    async with app.db.transaction() as tx:
        await tx.run(
            """
            UPDATE imaging_studies
            SET started = started + interval '3 hours', study_time = '161722', modality = '[]',
                modalities_in_study = '{CT}', procedure_codes = '{24606-6}', study_description = 'Breast',
                number_of_instances = 7, number_of_series = 3, referrer = '[{"display": "Somebody"}]'
            WHERE sensitive
            """
        )
        await tx.run(
            """
            UPDATE imaging_series AS e
            SET series_description = 'Breast'
            FROM imaging_studies AS s
            WHERE s.id = e.study_id
              AND s.sensitive
            """
        )
    for one, other in zip(before, await answers_to(client, asked), strict=True):
        assert one == other
    assert sum("NameORDINARY" in str(each) for each in before) > EXAMPLES // 20, "some searches find something"
