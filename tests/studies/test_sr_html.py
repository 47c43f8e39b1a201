"""Structured reports as pages: well-formed, escaped, with headings, lists and tables, in the right language."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import orjson

from images import opened
from radiology.studies import sr_html

FONT = "/fonts/bangla.ttf"
REPORTS = "1.2.840.10008.5.1.4.1.1.88."


def code(meaning, value="1"):
    return {"vr": "SQ", "Value": [{"00080104": {"vr": "LO", "Value": [meaning]}, "00080100": {"Value": [value]}}]}


def item(kind, name, **attributes):
    return {"0040A040": {"Value": [kind]}, "0040A010": {"Value": ["CONTAINS"]}, "0040A043": code(name)} | {
        tag.removeprefix("t"): value for tag, value in attributes.items()
    }


def text(name, value):
    return item("TEXT", name, t0040A160={"Value": [value]})


def of(*content, **attributes):
    return {"0040A043": code("Radiology Report"), "0040A730": {"vr": "SQ", "Value": list(content)}} | attributes


class Checked(HTMLParser):
    """Counts elements, and sees that each is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the base class names it.
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def elements(page):
    parser = Checked()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


def test_headings_tables_and_lists():
    side = item("CODE", "Side", t0040A168=code("Right"))
    frame = {"00081155": {"Value": ["1.2.3"]}, "00081160": {"Value": [2]}}
    size = {"Value": [{"0040A30A": {"Value": [23.0]}, "004008EA": code("millimeter", "mm")}]}
    measured = item("NUM", "Longest diameter", t0040A300=size)
    page = sr_html.page(
        of(
            item("CONTAINER", "Findings", t0040A730={"Value": [measured, side]}),
            text("Impression", "A long sentence. " * 10),
            item("IMAGE", "Source", t00081199={"Value": [frame]}),
        ),
        FONT,
    )
    seen = elements(page)
    assert [tag for tag in seen if re.fullmatch(r"h\d", tag)] == ["h1", "h2", "h2"]
    assert '<th scope="row">Longest diameter</th><td>23 mm</td>' in page
    assert "<td>Right</td>" in page
    assert "Image 1.2.3, frame 2" in page


def test_what_the_object_says_is_text_and_bangla_is_named():
    page = sr_html.page(of(text("<i>Finding</i>", '"><script>x</script> ফুসফুস')), FONT)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert ' lang="bn">' in page
    elements(page)


def test_the_policy_allows_the_style_of_the_page_and_a_font():
    page, policy = sr_html.page(of(), FONT), sr_html.content_security_policy(FONT)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy


def test_a_report_that_does_not_end_is_cut():
    deep = text("Deepest", "x")
    for _ in range(100):
        deep = item("CONTAINER", "Level", t0040A730={"Value": [deep]})
    assert "too long to be shown whole" in sr_html.page(of(deep), FONT)
    many = [text("Item", "x")] * 30_000
    page = sr_html.page(of(*many), FONT)
    assert "too long to be shown whole" in page
    assert len(page) < 4_000_000


def test_nothing_of_a_damaged_report_breaks_the_page():
    damaged = of({"0040A040": {}, "0040A730": {"Value": [None, {}]}}, {}, item("NUM", "N"), item("IMAGE", "I"))
    elements(sr_html.page(damaged | {"00100010": {"vr": "PN", "Value": [None]}}, FONT))


def test_every_report_of_the_shared_data(shared_data):
    shown = 0
    for path in sorted((shared_data / "dicom").rglob("*")):
        try:
            _, instance, attributes = opened(path)
        except Exception:  # noqa: S112 - what is no DICOM is no report.
            continue
        if instance.sop_class_uid.startswith(REPORTS):
            page = sr_html.page(orjson.loads(attributes), FONT)
            assert "h1" in elements(page), path
            shown += 1
    assert shown >= 9
