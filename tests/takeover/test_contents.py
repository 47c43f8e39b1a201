"""What is retrieved of a study, by what the foreign archive lists and counts."""

from radiology.remotes.model import Contents, ForeignInstance, Wanted


def listed(**series: int) -> list[ForeignInstance]:
    return [ForeignInstance(uid, f"{uid}.{number}", "") for uid, count in series.items() for number in range(count)]


def test_what_is_listed_whole_is_retrieved_by_lists() -> None:
    instances = listed(a=2, b=1)
    there = Contents(instances, {"a": 2, "b": 1}, series=2, total=3)
    assert there.is_whole
    assert there.wanted(instances[1:]) == [Wanted("a", instances[1:2]), Wanted("b", instances[2:])]
    assert there.wanted([]) == []


def test_a_series_that_is_cut_is_retrieved_whole_and_the_others_by_lists() -> None:
    instances = listed(a=2, b=1)
    there = Contents(instances, {"a": 5, "b": 1}, series=2, total=6)
    assert (there.is_whole, there.counted) == (False, 6)
    assert there.wanted(instances) == [Wanted("a"), Wanted("b", instances[2:])]
    assert there.wanted([]) == [Wanted("a")]


def test_a_series_without_instances_in_the_list_is_retrieved_whole() -> None:
    assert Contents([], {"a": 3}).wanted([]) == [Wanted("a")]


def test_a_study_is_retrieved_whole_where_series_do_not_explain_what_is_missing() -> None:
    instances = listed(a=2)
    for there in (
        Contents(instances, {"a": 2}, series=3),
        Contents(instances, {"a": 2}, series=2, total=4),
        Contents(instances, {"a": 2}, total=3),
        Contents(instances, {"a": 2}, is_cut=True),
    ):
        assert there.wanted([]) == [Wanted()], there
    assert Contents(instances, {"a": 2}, total=2, is_cut=True).is_whole


def test_what_is_not_counted_is_believed() -> None:
    there = Contents(listed(a=2))
    assert there.is_whole
    assert there.counted == 2
