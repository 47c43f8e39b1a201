"""How good reports are: corrections, self-approval, trainees, critical results."""

from radiology.quality.indicators.asking import Asked, Counted, Figures, rows, share, told
from radiology.quality.indicators.image_queries import DIFFERENCES

UNSIGNED_HOURS = 24


async def report_quality(asked: Asked) -> Figures:
    """Versions behind the final ones, self-approved ones, those signed in spite of a warning; and what is unsigned."""
    read = {name: await asked.read(f"reports.{name}") for name in ("final", "later", "self-approved", "warned")}
    answer: Figures = {"unsignedOver24Hours": await _unsigned(asked)}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        numbers = {name: groups.group(each).sums for name, each in read.items()}
        counted = Counted.of(groups.group(read["final"]), amounts=True)

        def figures(place: int, *, numbers: dict[str, list[int]] = numbers) -> Figures:
            final = numbers["final"][place]
            return {
                "later": numbers["later"][place],
                "laterRate": share(numbers["later"][place], final),
                "selfApprovedShare": share(numbers["self-approved"][place], final),
                "signedInSpiteOfWarnings": numbers["warned"][place],
            }

        told(by, answer, rows(groups, by, counted, figures))
    return answer


async def _unsigned(asked: Asked) -> int:
    """Reports that were begun more than a day ago and are signed by nobody, now."""
    cells = [cell.id for cell in asked.cells if asked.question.wanted.takes(cell)]
    return await asked.tx.value(
        """
        SELECT count(*)
        FROM radiology_reports AS report
        JOIN indicator_studies AS known ON known.study_id = report.study_id
        WHERE report.status IN ('registered', 'partial', 'preliminary')
          AND report.created_at < %(before)s::timestamptz - make_interval(hours => %(hours)s)
          AND known.cell_id = ANY(%(cells)s)
        """,
        before=asked.now,
        hours=UNSIGNED_HOURS,
        cells=cells,
    )


async def trainee_agreement(asked: Asked) -> Figures:
    """How far final reports are from the preliminary ones of residents, as those say who sign them.

    Where nobody said it, a report that was signed word by word as it was counts as none.
    """
    read = {difference: await asked.read(f"reports.trainee.{difference}") for difference in DIFFERENCES}
    answer: Figures = {}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        parts = [groups.group(each) for each in read.values()]
        numbers = dict(zip(read, (part.sums for part in parts), strict=True))

        def figures(place: int, *, numbers: dict[str, list[int]] = numbers) -> Figures:
            found = {difference: each[place] for difference, each in numbers.items()}
            judged = sum(found.values()) - found["not-said"]
            return {
                "none": found["none"],
                "minor": found["minor"],
                "major": found["major"],
                "notSaid": found["not-said"],
                "agreement": share(found["none"], judged),
                "majorShare": share(found["major"], judged),
            }

        told(by, answer, rows(groups, by, Counted.of(*parts, amounts=True), figures))
    return answer


async def critical_results(_asked: Asked) -> Figures:
    """How soon critical results are acknowledged. This version records no critical results, and says so."""
    return {"n": 0, "acknowledgedInTime": None, "medianMinutes": None, "unacknowledged": None, "recorded": False}


async def peer_review(asked: Asked) -> Figures:
    """How many final reports were reviewed, and how many of these differ significantly."""
    final = await asked.read("reports.final")
    groups = asked.groups(())
    return {"n": 0, "final": groups.group(final).sums[0], "coverage": None, "significantRate": None, "recorded": False}
