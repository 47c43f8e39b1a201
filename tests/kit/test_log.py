"""Log lines hold ids and UIDs, never the values of a data set."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from radiology.kit import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    handlers, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    log.configure("http", form="json", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_fields_that_are_not_allowed_are_left_out_and_named(lines: io.StringIO) -> None:
    log.get_logger(request_id="r1").info("stored", sop_instance_uid="1.2.3", patient_name="রহিম", patient_id="0815")
    line = orjson.loads(lines.getvalue())
    assert line["sop_instance_uid"] == "1.2.3"
    assert (line["event"], line["process"], line["request_id"]) == ("stored", "http", "r1")
    assert line["left_out"] == ["patient_id", "patient_name"]
    assert "রহিম" not in lines.getvalue()
    assert "0815" not in lines.getvalue()


def test_an_exception_shows_where_and_not_what_it_quotes(lines: io.StringIO) -> None:
    try:
        raise ValueError("রহিম")
    except ValueError:
        log.get_logger().exception("bug")
    line = orjson.loads(lines.getvalue())
    assert line["error_type"] == "builtins.ValueError"
    assert line["frames"][-1].startswith("test_log.py:")
    assert "রহিম" not in lines.getvalue()


def test_lines_of_libraries_have_the_same_form_and_pydicom_is_silent(lines: io.StringIO) -> None:
    logging.getLogger("somebody").warning("hello %s", 1)
    logging.getLogger("pydicom").error("Invalid value 'রহিম'")
    assert [orjson.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["hello 1"]
