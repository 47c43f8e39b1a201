"""What makes a batch."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bench.assigning import case
from hypothesis import given
from hypothesis import strategies as st

from radiology.reading_worklist.batches.model import MOST_MINUTES, MOST_STUDIES, RESERVE, Alike, batches
from radiology.reading_worklist.model import Place, Priority, State, Waiting

NOW = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)


def film(number: int, *, hours_left: float = 20.0, **changes: Any) -> Waiting:
    """A chest film with a turnaround of a day."""
    due = NOW + timedelta(hours=hours_left)
    given = Waiting(
        UUID(int=number), Place("1"), Priority.ROUTINE, "DX", NOW, 24.0, due - timedelta(hours=24), due,
        region="chest", procedure_key="XR", rvu=1.0,
    )  # fmt: skip
    return replace(given, **changes)


def numbers(waiting: list[Waiting], *, reads_sensitive: bool = False) -> list[list[int]]:
    return [
        [each.study_id.int for each in batch.studies]
        for batch in batches(waiting, NOW, reads_sensitive=reads_sensitive)
    ]


def test_what_is_alike_is_read_together_by_deadline() -> None:
    several = [film(1, hours_left=9), film(2, hours_left=8), film(3, region="hand"), film(4, place=Place("2"))]
    assert numbers(several) == [[2, 1], [3], [4]]
    assert batches(several, NOW, reads_sensitive=False)[0].alike == Alike("1", "DX", "chest", "XR")


def test_at_most_sixty_minutes_and_twenty_studies() -> None:
    assert [len(each) for each in numbers([film(number) for number in range(30)])] == [12], "of five minutes each"
    quick = [film(number, rvu=0.5) for number in range(30)]
    assert [len(each) for each in numbers(quick)] == [20]


def test_what_is_urgent_sensitive_or_taken_is_in_none() -> None:
    assert numbers([film(1, priority=Priority.STAT), film(2, priority=Priority.URGENT), film(3, sensitive=True)]) == []
    assert numbers([film(3, sensitive=True)], reads_sensitive=True) == [[3]]
    assert numbers([film(1, state=State.OFFERED), film(2, deadline=None)]) == []


def test_what_would_be_finished_too_late_is_left_to_others() -> None:
    reserve = 24 * RESERVE
    late = film(1, hours_left=reserve + 4.9 / 60)
    just = film(2, hours_left=reserve + 5.1 / 60)
    assert numbers([late, just]) == [[2]]


@given(st.integers(0, 10**6), st.booleans())
def test_every_batch_keeps_the_rules(seed: int, reads_sensitive: bool) -> None:
    waiting, _ = case(60, 1, seed=seed)
    found = batches(waiting, NOW, reads_sensitive=reads_sensitive)
    assert found == batches(reversed(waiting), NOW, reads_sensitive=reads_sensitive)
    assert len({batch.alike for batch in found}) == len(found)
    for batch in found:
        assert 1 <= len(batch.studies) <= MOST_STUDIES
        assert batch.minutes <= MOST_MINUTES
        assert [each.deadline for each in batch.studies] == sorted(
            each.deadline for each in batch.studies if each.deadline
        )
        minutes = 0.0
        for each in batch.studies:
            minutes += each.predicted_minutes
            assert each.priority == Priority.ROUTINE
            assert reads_sensitive or not each.sensitive
            assert each.deadline is not None
            assert NOW + timedelta(minutes=minutes) <= each.deadline - timedelta(hours=RESERVE * each.sla_hours)
