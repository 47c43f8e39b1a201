"""QIDO-RS (PS3.18 10.6) as clients see it."""

import re

import pytest

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio

STUDIES = "/dicomweb/studies"


async def test_no_match_is_an_empty_list(client_as: ClientAs) -> None:
    client = await client_as("radiologist")
    answer = await client.get(STUDIES, params={"PatientID": "nobody"})
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-type"] == "application/dicom+json"
    assert answer.headers["x-total-count"] == "0"
    assert "warning" not in answer.headers


async def test_a_study_is_answered_with_its_counts_and_where_it_is(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=3, PatientID="77")
    client = await client_as("radiologist")
    (study,) = (await client.get(STUDIES, params={"00100020": "77"})).json()
    assert study["00201206"]["Value"] == [1]
    assert study["00201208"]["Value"] == [3]
    assert study["00080061"]["Value"] == ["CT"]
    assert study["00080056"]["Value"] == ["ONLINE"]
    assert study["00081190"]["Value"] == [f"http://radiology.test/dicomweb/studies/{stored.study_instance_uid}"]
    assert study["00100010"]["Value"] == [{"Alphabetic": "RAHMAN^ABDUR", "Ideographic": "রহমান^আব্দুর"}]
    assert list(study) == sorted(study), "tags are in order"
    assert "00101010" not in study


async def test_all_six_resources_find_the_same_object(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=2)
    client = await client_as("radiologist")
    study = f"{STUDIES}/{stored.study_instance_uid}"
    series = f"{study}/series/{stored.series_instance_uid}"
    counts = {
        STUDIES: 1,
        f"{study}/series": 1,
        "/dicomweb/series": 1,
        f"{series}/instances": 2,
        f"{study}/instances": 2,
        "/dicomweb/instances": 2,
    }
    for path, count in counts.items():
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert len(answer.json()) == count, path
    (one, two) = (await client.get(f"{series}/instances")).json()
    assert [one["00200013"]["Value"], two["00200013"]["Value"]] == [[1], [2]]
    assert one["00280010"]["Value"] == [4]
    assert "00100010" not in one, "the study is named by the path"
    assert "00100010" in (await client.get("/dicomweb/instances")).json()[0]


@pytest.mark.parametrize(
    "query",
    [
        "StudyDate=2026-13-01",
        "StudyDate=yesterday",
        "StudyTime=25",
        "NoSuchAttribute=1",
        "PatientID.StudyDate=1",
        "limit=0",
        "limit=ten",
        "offset=-1",
        "fuzzymatching=perhaps",
        "includefield=Nothing",
        "StudyInstanceUID=abc",
        "PatientID=1&PatientID=2",
    ],
)
async def test_what_cannot_be_understood_is_refused(client_as: ClientAs, query: str) -> None:
    client = await client_as("radiologist")
    answer = await client.get(f"{STUDIES}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bad_uid_in_the_path_is_refused(client_as: ClientAs) -> None:
    client = await client_as("radiologist")
    assert (await client.get(f"{STUDIES}/abc/series")).status_code == 400


async def test_a_parameter_that_is_no_attribute_is_ignored_with_a_warning(app: App, client_as: ClientAs) -> None:
    await make.a_study(app)
    client = await client_as("radiologist")
    answer = await client.get(STUDIES, params={"_nocache": "1"})
    assert len(answer.json()) == 1
    assert answer.headers["warning"] == ('299 radiology: "These parameters are not known and were ignored: _nocache"')


async def test_an_attribute_of_another_level_is_ignored_with_a_warning(app: App, client_as: ClientAs) -> None:
    await make.a_study(app)
    client = await client_as("radiologist")
    answer = await client.get(STUDIES, params={"PhotometricInterpretation": "RGB"})
    assert len(answer.json()) == 1
    assert "PhotometricInterpretation" in answer.headers["warning"]


async def test_pages_follow_the_link(app: App, client_as: ClientAs) -> None:
    for day in range(1, 6):
        await make.a_study(app, StudyDate=f"2026010{day}")
    client = await client_as("radiologist")
    url, dates = f"{STUDIES}?limit=2&Modality=CT", []
    for _ in range(3):
        answer = await client.get(url)
        dates += [study["00080020"]["Value"][0] for study in answer.json()]
        assert answer.headers["x-total-count"] == "5"
        link = re.fullmatch('<(.*)>; rel="next"', answer.headers.get("link", ""))
        url = link[1] if link else ""
    assert not url
    assert dates == ["20260105", "20260104", "20260103", "20260102", "20260101"]


async def test_fields_are_included_by_keyword_tag_and_all(app: App, client_as: ClientAs) -> None:
    await make.a_study(app, PatientAge="045Y", PatientComments="kind")
    client = await client_as("radiologist")
    (study,) = (await client.get(f"{STUDIES}?includefield=PatientAge,00104000")).json()
    assert study["00101010"]["Value"] == ["045Y"]
    assert study["00104000"]["Value"] == ["kind"]
    (study,) = (await client.get(f"{STUDIES}?includefield=all")).json()
    assert study["00101010"]["Value"] == ["045Y"]
    assert study["00080062"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    (study,) = (await client.get(f"{STUDIES}?includefield=PatientWeight")).json()
    assert study["00101030"] == {"vr": "DS"}, "asked for and not there: empty"


async def test_fields_of_instances_are_read_from_the_header(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, WindowCenter="40", PixelData=bytes(2048))
    client = await client_as("radiologist")
    path = f"{STUDIES}/{stored.study_instance_uid}/instances"
    (instance,) = (await client.get(f"{path}?includefield=00281050&PhotometricInterpretation=MONO*")).json()
    assert instance["00281050"]["Value"] == [40.0]
    assert instance["00280004"]["Value"] == ["MONOCHROME2"]
    (instance,) = (await client.get(f"{path}?includefield=all")).json()
    url = instance["7FE00010"]["BulkDataURI"]
    assert url.endswith(f"/instances/{stored.sop_instance_uid}/bulkdata/7FE00010")
    assert (await client.get(url)).content == bytes(2048)


async def test_what_is_asked_for_decides_the_media_type(client_as: ClientAs) -> None:
    client = await client_as("radiologist")
    json = await client.get(STUDIES, headers={"accept": "application/json"})
    assert json.headers["content-type"] == "application/json"
    assert (await client.get(STUDIES, headers={"accept": "image/jpeg"})).status_code == 406
    override = await client.get(f"{STUDIES}?accept=application/json", headers={"accept": "application/dicom+xml"})
    assert override.headers["content-type"] == "application/json"


async def test_who_is_not_signed_in_finds_nothing(client_as: ClientAs, client: object) -> None:
    assert (await client.get(STUDIES)).status_code == 401  # type: ignore[attr-defined]
