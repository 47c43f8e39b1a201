"""How good reports are: corrections, self-approval, trainees, critical results."""

from typing import Final

from radiology.quality.indicators.asking import Asked, Counted, Figures, rows, share, told
from radiology.quality.indicators.image_queries import DIFFERENCES

UNSIGNED_HOURS: Final = 24
COVERAGE_TARGET: Final = 0.03


async def report_quality(asked: Asked) -> Figures:
    """Versions behind the final ones, self-approved ones, those signed in spite of a warning; and what is unsigned."""
    read = {name: await asked.read_sums(f"reports.{name}") for name in ("final", "later", "self-approved", "warned")}
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
    return await asked.tx.value(
        """
        SELECT count(*)
        FROM radiology_reports AS report
        JOIN indicator_studies AS known ON known.study_id = report.study_id
        WHERE report.status IN ('registered', 'partial', 'preliminary')
          AND report.created_at < %(before)s::timestamptz - make_interval(hours => %(hours)s)
          AND (%(is_all)s OR known.cell_id = ANY(%(cells)s))
        """,
        before=asked.now,
        hours=UNSIGNED_HOURS,
        is_all=asked.is_all,
        cells=asked.taken,
    )


async def trainee_agreement(asked: Asked) -> Figures:
    """How far final reports are from the preliminary ones of residents, as those say who sign them.

    Where nobody said it, a report that was signed word by word as it was counts as none.
    """
    read = {difference: await asked.read_sums(f"reports.trainee.{difference}") for difference in DIFFERENCES}
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
    """How many final reports of the window were reviewed (RADPEER), and how many of these differ significantly.

    2b, 3a and 3b count when the committee has decided. Whose reports they are is told to nobody here.
    """
    final = await asked.read_sums("reports.final")
    found = await asked.tx.binary(
        """
        SELECT count(*) FILTER (WHERE review.scored_at IS NOT NULL),
            count(*) FILTER (WHERE review.counted_score IN ('2b', '3a', '3b')),
            count(*) FILTER (WHERE review.state = 'arbitration')
        FROM peer_reviews AS review
        JOIN indicator_studies AS known ON known.study_id = review.study_id
        JOIN radiology_reports AS report ON report.id = review.report_id
        WHERE report.status NOT IN ('cancelled', 'entered-in-error')
          AND review.final_at >= %(first)s::timestamp AT TIME ZONE %(zone)s
          AND review.final_at < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s
          AND (%(is_all)s OR known.cell_id = ANY(%(cells)s))
        """,
        first=asked.window.first,
        last=asked.window.last,
        zone=asked.zone.key,
        is_all=asked.is_all,
        cells=asked.taken,
    )
    reviewed, significant, undecided = found[0]
    number = asked.groups(()).group(final).sums[0]
    return {
        "n": reviewed,
        "final": number,
        "coverage": share(reviewed, number),
        "target": COVERAGE_TARGET,
        "significant": significant,
        "significantRate": share(significant, reviewed),
        "awaitingArbitration": undecided,
    }
