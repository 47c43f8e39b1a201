"""Which studies are sensitive: every class by its codes, words, flags and parts of the body, and what is not."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.sensitivity.defaults import shipped_rules
from radiology.sensitivity.evidence import (
    ICD_11,
    LOINC,
    SNOMED,
    as_stored,
    evidence_of_attributes,
    evidence_of_concepts,
    evidence_of_scheduled,
    from_stored,
)
from radiology.sensitivity.model import (
    Evidence,
    Label,
    Marks,
    Policy,
    Rule,
    RuleSet,
    SensitiveClass,
    security_labels,
    why_not,
)
from radiology.standards.loinc import could_exist

RULES = RuleSet(shipped_rules())
UNMARKED = Marks()


def label(evidence: Evidence, marks: Marks = UNMARKED, *, restricted: bool = False) -> Label:
    return RULES.label(evidence, marks, restricted=restricted)


def test_every_shipped_rule_can_be_one_and_is_there_once():
    assert not [why_not(rule) for rule in shipped_rules() if why_not(rule)]
    assert not [each for each, count in Counter(rule.id for rule in shipped_rules()).items() if count > 1]
    assert {rule.sensitive_class for rule in shipped_rules()} == {each.value for each in SensitiveClass}
    assert {rule.policy for rule in shipped_rules() if rule.policy} <= {each.value for each in Policy}


def test_every_loinc_code_has_its_check_digit():
    assert not [rule.value for rule in shipped_rules() if rule.system == LOINC and not could_exist(rule.value)]


@pytest.mark.parametrize("code", ["24606-6", "24869-0", "43559-4", "36389-5"])
def test_the_second_coding_of_the_second_procedure_counts(code):
    concepts = [
        {"coding": [{"system": LOINC, "code": "24725-4"}]},
        {"coding": [{"system": "urn:local", "code": "X"}, {"system": LOINC, "code": code}]},
    ]
    found = label(evidence_of_concepts(concepts, None, None))
    assert (found.confidentiality, found.policies) == ("R", ("SEX",))


def test_the_code_of_the_specification_for_pelvic_ultrasound_stays_listed():
    concepts = [{"coding": [{"system": SNOMED, "code": "40199007"}]}]
    assert label(evidence_of_concepts(concepts, None, None)).classes == ("S1",)
    assert label(evidence_of_concepts([{"coding": [{"code": "40199007"}]}], None, None)).classes == ("S1",)
    assert label(evidence_of_concepts([{"coding": [{"system": LOINC, "code": "40199007"}]}], None, None)) == Label()


@pytest.mark.parametrize(
    ("evidence", "classes"),
    [
        (Evidence(modalities=frozenset({"MG"})), ("S2",)),
        (Evidence(body_parts=frozenset({"BREAST"})), ("S2",)),
        (Evidence(sites=frozenset({("SRT", "T-04000")})), ("S2",)),
        (Evidence(body_parts=frozenset({"PELVIS"}), modalities=frozenset({"US"})), ("S1",)),
        (Evidence(body_parts=frozenset({"PELVIS"}), modalities=frozenset({"DX"})), ()),
        (Evidence(departments=frozenset({"Gynaecology OPD"})), ("S1",)),
        (Evidence(flags=frozenset({"police-case"})), ("S4",)),
        (Evidence(flags=frozenset({"Police_Case"})), ("S4",)),
        (Evidence(flags=frozenset({"VIP"})), ("S7",)),
        (Evidence(flags=frozenset({"identity_review"})), ()),
        (Evidence(reasons=frozenset({(ICD_11, "1C62.Z")})), ("S5",)),
        (Evidence(reasons=frozenset({(ICD_11, "6A20")})), ("S6",)),
        (Evidence(procedures=frozenset({(ICD_11, "1C62.Z")})), ()),
        (Evidence(reason_texts=frozenset({"Known HIV, fever"})), ("S5",)),
        (Evidence(reason_texts=frozenset({"এইচআইভি পজিটিভ রোগী"})), ("S5",)),
        (Evidence(procedure_texts=frozenset({"দুই স্তনের এমআরআই"})), ("S2",)),
        (Evidence(procedure_texts=frozenset({"অণ্ডকোষের ডপলার আল্ট্রাসনোগ্রাম"})), ("S3",)),
        (Evidence(procedure_texts=frozenset({"CT chest STD kernel"})), ()),
        (Evidence(reason_texts=frozenset({"suspected STD"})), ("S5",)),
        (Evidence(reason_texts=frozenset({"Chest pain", "cough"}), procedure_texts=frozenset({"CT Chest"})), ()),
        (Evidence(procedures=frozenset({(LOINC, "43518-0")})), ()),
        (
            Evidence(procedures=frozenset({(LOINC, "43518-0")}), reason_texts=frozenset({"fractures, NAI?"})),
            ("S4",),
        ),
    ],
)  # fmt: skip
def test_what_gives_a_class(evidence, classes):
    assert label(evidence).classes == classes


def test_bangla_is_compared_however_its_letters_are_composed():
    composed, decomposed = "জরায়ু", "জরায়ু"
    for text in (composed, decomposed, "জরা\u200cয়ুর টিউমার"):
        assert label(Evidence(reason_texts=frozenset({text}))).classes == ("S1",)


def test_forensic_studies_and_restricted_persons_are_very_restricted():
    assert label(Evidence(flags=frozenset({"custody"}))).confidentiality == "V"
    assert label(Evidence(), restricted=True) == Label(("S7",), (), "V")


def test_a_mark_raises_and_the_rules_never_lower_it():
    marks = Marks(raised=frozenset({"S5"}))
    assert label(Evidence(), marks) == Label(("S5",), ("TBOO",), "R")
    assert label(Evidence(), Marks(at_least="V")) == Label((), (), "V")


def test_what_was_cleared_stays_cleared_but_not_for_a_restricted_person():
    mammogram, marks = Evidence(modalities=frozenset({"MG"})), Marks(cleared=frozenset({"S2", "S7"}))
    assert label(mammogram, marks) == Label()
    assert label(mammogram, marks, restricted=True).classes == ("S7",)


def test_labels_name_what_fits_and_a_masked_view_does_not():
    hiv = label(Evidence(reason_texts=frozenset({"HIV"})))
    assert [each["code"] for each in security_labels(hiv.confidentiality, hiv.policies)] == ["R", "HIV"]
    masked = security_labels(hiv.confidentiality, hiv.policies, masked=True)
    assert [each["code"] for each in masked] == ["R", "REDACTED"]
    assert security_labels("N", ()) == []


def test_attributes_are_read_at_every_depth():
    def item(code, scheme="LN", meaning=""):
        return {
            "00080100": {"vr": "SH", "Value": [code]},
            "00080102": {"vr": "SH", "Value": [scheme]},
            "00080104": {"vr": "LO", "Value": [meaning]},
        }

    equivalent = {**item("X1", "99LOCAL"), "00080121": {"vr": "SQ", "Value": [item("24606-6")]}}
    request = {"00321064": {"vr": "SQ", "Value": [equivalent]}, "00401002": {"vr": "LO", "Value": ["Follow-up"]}}
    attributes = {"00400275": {"vr": "SQ", "Value": [request]}, "00080060": {"vr": "CS", "Value": ["US"]}}
    evidence = evidence_of_attributes(attributes)
    assert (LOINC, "24606-6") in evidence.procedures
    assert label(evidence).classes == ("S2",)
    assert from_stored(as_stored(evidence)) == evidence


def test_an_item_of_the_worklist_counts():
    details = {"requestedProcedure": "CT brain", "reason": "RTA", "confidentiality": "police case",
               "requestedProcedureCode": [{"code": "RPID22", "scheme": "RADLEX"}]}  # fmt: skip
    assert label(evidence_of_scheduled(details)).classes == ("S4",)


def test_a_rule_that_would_hold_for_everything_is_refused():
    def rule(**columns):
        return Rule(**{"id": next(iter(shipped_rules())).id, "sensitive_class": "S1", "system": "", **columns})

    assert why_not(rule(kind="word", value="a*"))
    assert why_not(rule(kind="code", value="24606-6"))
    assert why_not(rule(kind="word", value="breast", system=LOINC))
    assert why_not(rule(kind="word", value="***"))
    assert why_not(rule(kind="word", value="breast")) is None


@given(st.dictionaries(st.sampled_from(sorted({"00081032", "00400275", "00080060", "00180015", "00401002"})),
       st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.fixed_dictionaries(
           {"vr": st.text(max_size=2), "Value": st.lists(inner, max_size=3)}))))  # fmt: skip
def test_garbage_is_no_evidence_and_no_error(attributes):
    shaped = {tag: value if isinstance(value, dict) else {"vr": "UN"} for tag, value in attributes.items()}
    label(evidence_of_attributes(shaped))
