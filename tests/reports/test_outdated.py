"""What stands above a report whose images changed after it was signed."""

from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from radiology.doors.http.report_page import report_page
from radiology.reports.outdated.model import BANNERS, Cause
from radiology.sharing.queries import SharedReport


@pytest.mark.parametrize("cause", [None, *Cause])
def test_the_page_of_a_report_says_that_it_is_outdated(cause: Cause | None) -> None:
    said = dict.fromkeys(field.name for field in fields(SharedReport))
    moment = datetime(2026, 1, 21, tzinfo=UTC)
    report = SharedReport(
        **{
            **said, "report_id": "report-1", "status": "final", "issued": moment, "updated_at": moment, "sections": [],
            "code": {"text": "CT"}, "patient_name": "Karim^Abdul", "hospital_number": "DMC-1001",
            "birth_date": "19800115", "sex": "M", "outdated": cause,
        }
    )  # fmt: skip
    _, markup = report_page(report, ZoneInfo("Asia/Dhaka"))
    for other, texts in BANNERS.items():
        assert all((text in markup) == (other == cause) for text in texts)
