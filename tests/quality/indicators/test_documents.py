"""What leaves the page: spreadsheets, the report on paper, the aggregate for the ministry, figures for choosing."""

import csv
import io
from datetime import timedelta
from html.parser import HTMLParser

import pytest

import make
from radiology.quality.indicators import page
from radiology.quality.indicators.counting import count_due
from radiology.quality.indicators.figures import figures, tell_figures
from radiology.quality.indicators.following import recount
from radiology.quality.indicators.hmis import Counted, data_value_set
from reading import id_of

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/quality/indicators"


async def a_month(app, *, modality="CT", count=6, sex="M", born="19800215"):
    """Some complete studies of this month, reported after one, two, three … hours."""
    for number in range(count):
        stored = await make.a_study(
            app, Modality=modality, StudyTime="100000", PatientSex=sex, PatientBirthDate=born
        )  # fmt: skip
        study = await id_of(app, stored.study_instance_uid)
        async with app.db.transaction() as tx:
            completed = app.clock.now() - timedelta(hours=20)
            await tx.run(
                "UPDATE imaging_studies SET status = 'completed', completed = %(at)s WHERE id = %(id)s",
                id=study,
                at=completed,
            )
            await tx.run(
                """
                WITH report AS (
                    INSERT INTO radiology_reports (study_id, patient_id, status, issued, category, code, author)
                    SELECT id, patient_id, 'final', %(at)s, '[]', '{}', 'account:reader'
                    FROM imaging_studies WHERE id = %(id)s
                    RETURNING id
                )
                INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256,
                    author_ids, signed_at)
                SELECT id, 1, 'final', '{}', '', '', '{}', %(at)s FROM report
                """,
                id=study,
                at=completed + timedelta(hours=number + 1),
            )
    await recount(app)
    await count_due(app)


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - given by the parser.
        self.seen.append(tag)

    def handle_data(self, data):
        self.text += data


async def test_every_figure_is_a_line_of_a_spreadsheet(app, client_as):
    await a_month(app)
    manager = await client_as("manager")
    answer = await manager.get(f"{PATH}/turnaround/sheet.csv", params={"by": "modality"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    found = [line for line in lines if (line["part"], line["figure"]) == ("completed-final", "p90Minutes")]
    assert [(line["modality"], float(line["value"])) for line in found] == [("", 360), ("CT", 360)]
    assert (await manager.get(f"{PATH}/sheet.csv")).status_code == 200
    assert (await (await client_as("radiologist")).get(f"{PATH}/sheet.csv")).status_code == 403


@pytest.mark.parametrize(("language", "words"), [("en", ("January 2026", "360")), ("bn", ("জানুয়ারি ২০২৬", "৩৬০"))])
async def test_the_report_of_a_month_is_printed_in_both_languages(app, client_as, language, words):
    await a_month(app)
    manager = await client_as("manager")
    answer = await manager.get(f"{PATH}/monthly", params={"month": "2026-01", "language": language})
    assert answer.status_code == 200, answer.text
    tags = Tags(answer.text)
    assert all(word in tags.text for word in words)
    assert tags.seen.count("h2") == len(page.INDICATORS) + 1
    assert tags.seen.count("svg") == 4
    assert "script" not in tags.seen
    assert (await manager.get(f"{PATH}/monthly", params={"month": "2026-13"})).status_code in (400, 422)


async def test_the_ministry_gets_numbers_without_small_cells(app, client_as, tmp_path):
    await a_month(app, count=6)
    await a_month(app, count=7, sex="F")
    await a_month(app, count=2, born="")
    manager = await client_as("manager")
    answer = (await manager.get(f"{PATH}/hmis", params={"month": "2026-01"})).json()
    assert (answer["dataSet"], answer["period"]) == ("RADIOLOGY_MONTHLY", "202601")
    # Two of unknown age are hidden, and with them the next smallest, or they could be told from the sum.
    assert [(each["orgUnit"], each["categoryOptionCombo"], each["value"]) for each in answer["dataValues"]] == [
        ("LOCAL", "F_25_49", "7")
    ]
    assert answer["dataValues"][0]["dataElement"] == "RAD_CT"


def test_codes_of_the_deployment_take_the_place_of_ours():
    counted = [Counted("10000033", "CT", "F", "25_49", 9)]
    codes = {"RAD_CT": "aBc", "F_25_49": "dEf", "10000033": "gHi", "RADIOLOGY_MONTHLY": "jKl"}
    told = data_value_set(counted, codes, period="202601", complete="2026-01-31")
    assert told["dataSet"] == "jKl"
    assert told["dataValues"] == [
        {"dataElement": "aBc", "period": "202601", "orgUnit": "gHi", "categoryOptionCombo": "dEf", "value": "9"}
    ]


async def test_who_chooses_a_facility_is_told_how_it_did(app):
    await a_month(app)
    (told,) = await figures(app, app.clock.now().date())
    assert (told.facility_code, told.modality, told.turnaround_hours, told.sla_met) == ("LOCAL", "CT", 3, 1.0)
    assert told.reject_rate is None
    assert await tell_figures(app) == 1
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT turnaround_hours FROM facility_figures WHERE facility_code = 'LOCAL'") == 3
