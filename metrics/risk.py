"""What is risked, and is it borne on purpose? Ratings against appetite, age, acceptances, indicators in breach.

Read from the ledger as it stands at one moment; indicators are the verdicts of live Readings at that moment.
"""

from __future__ import annotations

from functools import partial

from metrics._ledger_risks import RISKS, WATCHED, Risks, Watched
from metrics.core.estimates import WILSON, share
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Unit, undefined

ROLLUPS = (RISKS, WATCHED)
OWNER = "risk owner"
NO_RISK = "no risk is recorded in the ledger: add the first one on the page Risks"
NO_RATING = "no active risk has both a residual rating and an appetite set for its category"
NO_ACCEPTANCE = "no active risk is treated by acceptance, so none is relied on"


def _total(cells: Risks) -> int:
    return int(cells.risks.sum())


def above_appetite_of(cells: Risks, _: Choice) -> Estimate:
    return share(int(cells.above_appetite.sum()), int(cells.rated.sum()), NO_RATING, _unrated(cells))


def above_tolerance_of(cells: Risks, _: Choice) -> Estimate:
    return share(int(cells.above_tolerance.sum()), int(cells.rated.sum()), NO_RATING, _unrated(cells))


def _unrated(cells: Risks) -> tuple[str, ...]:
    left = _total(cells) - int(cells.rated.sum())
    return (f"{left} of {_total(cells)} risks are not rated or have no appetite set",) if left else ()


def open_of(cells: Risks, _: Choice) -> Estimate:
    n = _total(cells)
    return Estimate(float(n), n=n, method="exact count") if n else undefined(NO_RISK)


def aged_of(cells: Risks, _: Choice) -> Estimate:
    return share(int(cells.aged.sum()), _total(cells), NO_RISK)


def unowned_of(cells: Risks, _: Choice) -> Estimate:
    return share(int(cells.unowned.sum()), _total(cells), NO_RISK)


def unbacked_of(cells: Risks, _: Choice) -> Estimate:
    return share(int(cells.unbacked.sum()), int(cells.accepted.sum()), NO_ACCEPTANCE)


def breached_of(cells: Watched, _: Choice) -> Estimate:
    """Of the indicators that can be measured today; those that cannot are told, not counted as sound."""
    watched, measured = int(cells.watched.sum()), int(cells.measured.sum())
    lost = watched - measured
    warnings = (f"{lost} of {watched} indicators cannot be measured today",) if lost else ()
    nothing = (
        f"none of {watched} indicators can be measured today: refresh the data they read"
        if watched
        else "no active risk has an indicator: name a metric with a bound"
    )
    return share(int(cells.breached.sum()), measured, nothing, warnings)


_risk = partial(
    Metric[Risks], dimension=Dimension.PROCESS, rollup=RISKS, owner=OWNER, min_n=1, interval=WILSON,
    unit=Unit.SHARE, direction=Direction.LOWER,
)  # fmt: skip

METRICS = (
    _risk(
        key="risk.above_appetite",
        title="Risks that stay above appetite",
        question="How many risks would stay larger than is sought, even after treatment?",
        definition="Active risks whose residual score exceeds the appetite of their category / active risks rated against one.",
        why="What stays above appetite is either treated further, or accepted by name and until a day.",
        finalise=above_appetite_of,
    ),
    _risk(
        key="risk.above_tolerance",
        title="Risks that stay above tolerance",
        question="How many risks would stay larger than is borne at all?",
        definition="Active risks whose residual score exceeds the tolerance of their category / active risks rated against one.",
        why="Tolerance is the line that was drawn beforehand; beyond it the initiative stops or somebody decides.",
        finalise=above_tolerance_of,
    ),
    _risk(
        key="risk.open",
        title="Open risks",
        question="How many risks are open, and since when?",
        definition="Active risks of the register; broken down by age band it is the count by age since the first entry.",
        why="A register without risks is one that nobody fills in; one that only grows is one that nobody works on.",
        unit=Unit.COUNT,
        direction=Direction.NEITHER,
        interval="none: a complete count",
        finalise=open_of,
    ),
    _risk(
        key="risk.aged_share",
        title="Risks open for more than 90 days",
        question="Which share of the risks has been open for more than 90 days?",
        definition="Active risks first entered 90 days ago or earlier / all active risks.",
        why="A risk that stays open for quarters is being lived with, whatever its treatment says.",
        finalise=aged_of,
    ),
    _risk(
        key="risk.expired_relied_on",
        title="Acceptances relied on though not in force",
        question="How many risks are borne on an acceptance that has ended or never was?",
        definition=(
            "Active risks treated by acceptance without one that is accepted, unexpired and untripped / all treated by"
            " acceptance."
        ),
        why="Nobody decided to bear these risks any longer; they are borne all the same.",
        finalise=unbacked_of,
    ),
    _risk(
        key="risk.without_owner",
        title="Risks without an owner",
        question="How many risks does nobody answer for?",
        definition="Active risks with no owner named / all active risks.",
        why="A risk without an owner is watched by everybody, which is nobody.",
        finalise=unowned_of,
    ),
    Metric(
        key="risk.indicators_in_breach",
        title="Risk indicators in breach",
        question="How many of the measured indicators say that a risk is happening?",
        definition=(
            "Active risks whose indicator's whole interval lies beyond its bound / active risks whose indicator is"
            " measured."
        ),
        why="A rating is an opinion; an indicator in breach is the risk itself, already there.",
        dimension=Dimension.PROCESS,
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        rollup=WATCHED,
        interval=WILSON,
        owner=OWNER,
        finalise=breached_of,
        min_n=1,
    ),
)  # fmt: skip
