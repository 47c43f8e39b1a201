"""The state machine of table CC.1.1-2, cell by cell, and over any sequence of operations."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.errors import AttributesRefused, RadiologyError, TransitionRefused
from radiology.workitems import attributes as rules
from radiology.workitems import model, reports, search
from radiology.workitems.model import State, Verb

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
RIGHT, WRONG = "1.2.3.1", "1.2.3.2"
NEW = {
    "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
    "00741200": {"vr": "CS", "Value": ["MEDIUM"]},
    "00741204": {"vr": "LO", "Value": ["Read chest"]},
    "00404005": {"vr": "DT", "Value": ["20260301083000"]},
    "00404041": {"vr": "CS", "Value": ["READY"]},
}
CODE = {"vr": "SQ", "Value": [dict(rules.UNSPECIFIED_REASON)]}
PERFORMED = {
    "00741216": {
        "vr": "SQ",
        "Value": [
            {
                "00404028": CODE,
                "00404050": {"vr": "DT", "Value": ["20260301083000"]},
                "00404051": {"vr": "DT", "Value": ["20260301084000"]},
                "00404019": CODE,
                "00404033": {"vr": "SQ"},
            }
        ],
    }
}
STOPPED = {"00741002": {"vr": "SQ", "Value": [{"0074100E": CODE}]}}
STATES = ("SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED")


def workitem(state: str = "SCHEDULED"):
    item = model.created("1.2.3", "DMC", NEW, AT)
    if state == "SCHEDULED":
        return item
    item = item.change_state("IN PROGRESS", RIGHT, AT)[0].update({**PERFORMED, **STOPPED}, RIGHT, AT)
    return item if state == "IN PROGRESS" else item.change_state(state, RIGHT, AT)[0]


TABLE = {
    ("IN PROGRESS", RIGHT): (0, 0xC302, 0xC300, 0xC300),
    ("IN PROGRESS", ""): (0xC301, 0xC301, 0xC301, 0xC301),
    ("SCHEDULED", RIGHT): (0xC303, 0xC303, 0xC303, 0xC303),
    ("SCHEDULED", WRONG): (0xC303, 0xC303, 0xC303, 0xC303),
    ("COMPLETED", RIGHT): (0xC310, 0, 0xB306, 0xC300),
    ("COMPLETED", ""): (0xC301, 0xC301, 0xC301, 0xC301),
    ("CANCELED", RIGHT): (0xC310, 0, 0xC300, 0xB304),
    ("CANCELED", ""): (0xC301, 0xC301, 0xC301, 0xC301),
}


@pytest.mark.parametrize(("wanted", "uid"), TABLE)
def test_the_transition_table(wanted: str, uid: str) -> None:
    assert tuple(answer(workitem(state), wanted, uid) for state in STATES) == TABLE[wanted, uid]


def answer(item, wanted: str, uid: str) -> int:
    try:
        changed, warning = item.change_state(wanted, uid, AT)
    except TransitionRefused as error:
        return error.dimse_status
    assert changed.state == (item.state if warning else wanted)
    return warning or 0


def test_the_wrong_transaction_uid_is_refused_from_the_claim_on() -> None:
    for state in STATES[1:]:
        assert answer(workitem(state), "COMPLETED", WRONG) == 0xC301


def test_a_request_to_cancel() -> None:
    told = []
    for state in State:
        try:
            told.append(model.step(state, Verb.REQUEST_CANCEL))
        except TransitionRefused as error:
            told.append(error.dimse_status)
    assert told == [("CANCELED", None), ("IN PROGRESS", None), 0xC311, ("CANCELED", 0xB304)]


def test_every_pair_is_decided_once() -> None:
    pairs = [*model.TRANSITIONS, *model.WARNINGS, *model.REFUSALS]
    assert len(pairs) == len(set(pairs)) == len(State) * len(Verb)


@pytest.mark.parametrize("path", [path for path, code in rules.FINAL_STATE.items() if code in ("P", "R")])
def test_completion_needs(path) -> None:
    attributes = workitem("IN PROGRESS").attributes
    assert rules.missing("COMPLETED", attributes) == []
    assert path[-1] in rules.missing("COMPLETED", without(attributes, path))


def test_cancelling_needs_a_reason_and_notes_the_moment() -> None:
    claimed = workitem().change_state("IN PROGRESS", RIGHT, AT)[0]
    assert answer(claimed, "CANCELED", RIGHT) == 0xC304
    canceled = claimed.update(STOPPED, RIGHT, AT).change_state("CANCELED", RIGHT, AT)[0]
    assert canceled.attributes["00741002"]["Value"][0]["00404052"]["Value"] == ["20260301080000.000000+0000"]


def test_a_performer_that_is_there_is_named() -> None:
    performed = {**PERFORMED["00741216"]["Value"][0], "00404035": {"vr": "SQ", "Value": [{}]}}
    attributes = {**NEW, "00741216": {"vr": "SQ", "Value": [performed]}}
    assert rules.missing("COMPLETED", attributes) == ["00404035"]


def without(attributes, path):
    if len(path) == 1:
        return {tag: each for tag, each in attributes.items() if tag != path[0]}
    item = {tag: each for tag, each in attributes[path[0]]["Value"][0].items() if tag != path[1]}
    return {**attributes, path[0]: {"vr": "SQ", "Value": [item]}}


@pytest.mark.parametrize(
    ("tag", "element", "status"),
    [
        ("00741204", None, 0x0120),
        ("00741200", {"vr": "CS"}, 0x0121),
        ("00741200", {"vr": "CS", "Value": ["URGENT"]}, 0x0106),
        ("00741002", {"vr": "SQ", "Value": [{}]}, 0x0106),
        ("00081195", {"vr": "UI", "Value": ["1.2"]}, 0x0106),
    ],
)
def test_a_creation_that_is_refused(tag: str, element, status: int) -> None:
    attributes = {key: each for key, each in {**NEW, tag: element}.items() if each is not None}
    with pytest.raises(AttributesRefused) as refused:
        model.created("1.2.3", "DMC", attributes, AT)
    assert (refused.value.dimse_status, refused.value.tags) == (status, (tag,))


def test_only_a_scheduled_workitem_is_created() -> None:
    with pytest.raises(TransitionRefused) as refused:
        model.created("1.2.3", "DMC", {**NEW, "00741000": {"vr": "CS", "Value": ["IN PROGRESS"]}}, AT)
    assert refused.value.dimse_status == 0xC309


@pytest.mark.parametrize(
    ("state", "uid", "status"),
    [("SCHEDULED", RIGHT, 0xC310), ("IN PROGRESS", WRONG, 0xC301), ("IN PROGRESS", "", 0xC301),
     ("COMPLETED", RIGHT, 0xC300), ("CANCELED", RIGHT, 0xC300)],
)  # fmt: skip
def test_an_update_that_is_refused(state: str, uid: str, status: int) -> None:
    with pytest.raises(TransitionRefused) as refused:
        workitem(state).update({}, uid, AT)
    assert refused.value.dimse_status == status


def test_the_patient_may_not_be_changed() -> None:
    with pytest.raises(AttributesRefused) as refused:
        workitem().update({"00100020": {"vr": "LO", "Value": ["X"]}}, "", AT)
    assert refused.value.tags == ("00100020",)


UIDS = st.sampled_from([RIGHT, WRONG, ""])
OPERATIONS = st.one_of(
    st.tuples(st.just("state"), st.sampled_from([*STATES, "NONSENSE"]), UIDS),
    st.tuples(st.just("set"), st.sampled_from([PERFORMED, STOPPED, {}, {"00741216": {"vr": "SQ"}}]), UIDS),
    st.tuples(st.just("cancel"), st.none(), UIDS),
)


@given(st.lists(OPERATIONS, max_size=12))
def test_any_sequence_of_operations_keeps_the_rules(operations) -> None:
    """The lock never changes hands, what has ended stays as it is, and nothing ends without what it needs."""
    item = workitem()
    for operation in operations:
        before = item
        item = done(item, *operation)
        assert (before.state, item.state) in {
            ("SCHEDULED", "SCHEDULED"), ("SCHEDULED", "IN PROGRESS"), ("SCHEDULED", "CANCELED"),
            ("IN PROGRESS", "IN PROGRESS"), ("IN PROGRESS", "COMPLETED"), ("IN PROGRESS", "CANCELED"),
            ("COMPLETED", "COMPLETED"), ("CANCELED", "CANCELED"),
        }  # fmt: skip
        assert before.transaction_uid in (None, item.transaction_uid)
        assert (item.transaction_uid is None) == (item.state == "SCHEDULED")
        assert item.attributes["00741000"]["Value"] == [item.state]
        assert "00081195" not in item.attributes
        assert rules.missing(item.state, item.attributes) == []
        if before.state in ("COMPLETED", "CANCELED"):
            assert item == before


def done(item, kind: str, argument, uid: str):
    try:
        if kind == "state":
            return item.change_state(argument, uid, AT)[0]
        if kind == "set":
            return item.update(argument, uid, AT)
        after, warning = model.step(item.state, Verb.REQUEST_CANCEL)
        changes = warning is None and after != item.state
        return item.cancel_as_requested({}, AT, WRONG) if changes else item
    except RadiologyError:
        return item


OTHERS = ("00404025", "00404034", "00741238", "0074100E", "00090010")
TAGS = st.sampled_from([*rules.REQUIRED, *rules.EMPTY_AT_FIRST, *OTHERS])
VALUES = st.none() | st.text(max_size=8) | st.integers() | st.just("SCHEDULED")
ELEMENTS = st.recursive(
    st.fixed_dictionaries(
        {"vr": st.sampled_from(["CS", "LO", "DT", "UI", "US"])},
        optional={"Value": st.lists(VALUES, max_size=2)},
    ),
    lambda inner: st.fixed_dictionaries(
        {"vr": st.just("SQ"), "Value": st.lists(st.dictionaries(TAGS, inner, max_size=3), max_size=2)}
    ),
    max_leaves=10,
)


@given(st.dictionaries(TAGS, ELEMENTS, max_size=8))
def test_attributes_of_any_content_are_taken_or_refused(attributes) -> None:
    """What is taken can be searched and told to subscribers."""
    for item in (attempted(lambda: model.created("1.2.3", "DMC", {**NEW, **attributes}, AT)),
                 attempted(lambda: workitem("IN PROGRESS").update(attributes, RIGHT, AT))):  # fmt: skip
        if item is not None:
            reports.of_creation(item)
            reports.of_update(workitem("IN PROGRESS"), item)
            query = attempted(lambda: search.parse(attributes, zone=UTC))
            if query is not None:
                search.conditions(query)
                query.fits(item.attributes)
                query.answer(item.attributes)


def attempted(make):
    try:
        return make()
    except RadiologyError:
        return None
