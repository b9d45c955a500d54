"""Who answers for what is built? Initiatives with an accountable person, reviews overdue, time to decide.

Read from the ledger as it stands at one moment, or as it stood at an earlier one.
"""

from __future__ import annotations

from functools import partial

from metrics._ledger_cells import OWNED, REVIEWS, WAITS, Owned, Reviews, Waits
from metrics.core.estimates import WILSON, share
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Unit, undefined
from metrics.core.survival import kaplan_meier, quantile

ROLLUPS = (OWNED, REVIEWS, WAITS)
COUNCIL = "council chair"
NO_INITIATIVE = "no initiative is recorded in the ledger: add the first one on the page Initiatives"
NO_REVIEW = "no record in the ledger has a day of review: fill in who answers for each initiative"
NO_REQUEST = "no acceptance or exception was ever handed in, so nothing waits for a decision"


def covered_of(cells: Owned, _: Choice) -> Estimate:
    return share(int(cells.owned.sum()), int(cells.initiatives.sum()), NO_INITIATIVE)


def orphans_of(cells: Owned, _: Choice) -> Estimate:
    n = int(cells.initiatives.sum())
    if not n:
        return undefined(NO_INITIATIVE)
    lost = n - int(cells.owned.sum())
    return Estimate(float(lost), n=n, numerator=lost, denominator=n, method="exact count")


def delegated_of(cells: Owned, _: Choice) -> Estimate:
    return share(int(cells.delegated.sum()), int(cells.initiatives.sum()), NO_INITIATIVE)


def overdue_of(cells: Reviews, _: Choice) -> Estimate:
    return share(int(cells.overdue.sum()), int(cells.reviews.sum()), NO_REVIEW)


def wait_of(cells: Waits, _: Choice) -> Estimate:
    """Median by Kaplan-Meier: requests undecided or withdrawn are censored at their age."""
    n = int((cells.decided + cells.undecided).sum())
    if n == 0:
        return undefined(NO_REQUEST)
    found = quantile(kaplan_meier(cells.seconds.astype(float), cells.decided, cells.undecided), 0.5)
    decided = int(cells.decided.sum())
    if found.value is None:
        return undefined(f"fewer than half of {n} requests were decided so far ({decided})", n)
    warnings = () if found.high is not None else ("the upper limit is not reached: too few were decided",)
    bounded = found.low is not None and found.high is not None
    low, high = (found.low, found.high) if bounded else (None, None)
    return Estimate(found.value, low, high, n, decided, n, found.method, warnings=warnings)


_initiatives = partial(Metric[Owned], dimension=Dimension.PROCESS, rollup=OWNED, owner=COUNCIL, min_n=1)

METRICS = (
    _initiatives(
        key="ownership.coverage",
        title="Initiatives somebody answers for",
        question="Does every initiative have one accountable person with authority?",
        definition="Initiatives in use with one active, named accountable person whose authority is written down / all in use.",
        why="Where nobody is accountable nobody stops what goes wrong, and nobody claims what goes right.",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        interval=WILSON,
        finalise=covered_of,
    ),
    _initiatives(
        key="ownership.orphans",
        title="Orphaned initiatives",
        question="How many initiatives does nobody answer for?",
        definition="Initiatives in use without an active accountable person or without a written authority.",
        why="An orphan keeps running, costing and deciding after the last person who cared has left.",
        unit=Unit.COUNT,
        direction=Direction.LOWER,
        interval="none: a complete count",
        finalise=orphans_of,
    ),
    _initiatives(
        key="ownership.delegation",
        title="Initiatives with a delegate",
        question="Can somebody act while the accountable person is away?",
        definition="Owned initiatives in use that also name a delegate / all initiatives in use.",
        why="Decisions that wait for one person's holiday are late by the length of the holiday.",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        interval=WILSON,
        finalise=delegated_of,
    ),
    Metric(
        key="ownership.overdue_reviews",
        title="Reviews overdue",
        question="Which share of what is to be looked at again is late?",
        definition="Active records whose day of review has passed / all active records that have one, over six registers.",
        why="A register that nobody looks at again describes the past, and is believed all the same.",
        dimension=Dimension.PROCESS,
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        rollup=REVIEWS,
        interval=WILSON,
        owner=COUNCIL,
        finalise=overdue_of,
        min_n=1,
    ),
    Metric(
        key="ownership.time_to_decide",
        title="Time to decide on a request",
        question="How long does half of the requests wait for a decision?",
        definition=(
            "Kaplan-Meier median from handing in to acceptance or rejection; requests undecided or withdrawn are"
            " censored."
        ),
        why="While a request waits its risk is borne by nobody, and those who asked learn not to ask.",
        dimension=Dimension.PROCESS,
        unit=Unit.SECONDS,
        direction=Direction.LOWER,
        rollup=WAITS,
        interval="Kaplan-Meier, log-log",
        owner=COUNCIL,
        finalise=wait_of,
        min_n=1,
    ),
)  # fmt: skip
