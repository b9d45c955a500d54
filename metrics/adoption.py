"""Adoption: who of those meant to use an initiative does, how soon, and whether they follow what it recommends."""

from __future__ import annotations

from functools import partial

from metrics._adoption_change import AT, DAILY, DAYS, DailyCells, change
from metrics._adoption_reach import FIRST, WEEKLY, FirstCells, WeekCells, active, first_use
from metrics._adoption_usage import ACTIONS, ActionCells, answered, barriers
from metrics.core.estimates import NEWCOMBE, WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (ACTIONS, WEEKLY, FIRST, DAILY)
_action = partial(Metric[ActionCells], dimension=Dimension.LEARNING, rollup=ACTIONS, owner="initiative owner")


def _answer(which: str, title: str, direction: Direction, why: str) -> Metric[ActionCells]:
    return _action(
        key=f"adoption.{which}_share",
        title=title,
        question=f"Of the recommendations that were answered, how many were {which}?",
        definition=f"Events {which} / events accepted, overridden or ignored. A recommendation merely shown does not count.",
        why=why,
        unit=Unit.SHARE,
        direction=direction,
        interval=WILSON,
        finalise=answered(which),
    )


METRICS = (
    _answer(
        "accepted", "Recommendations accepted", Direction.HIGHER,
        "A recommendation that nobody follows has cost everything and brought nothing.",
    ),
    _answer(
        "overridden", "Recommendations overridden", Direction.NEITHER,
        "Some overriding is judgement; much of it says that people know something the model does not.",
    ),
    _answer(
        "ignored", "Recommendations ignored", Direction.LOWER,
        "To be ignored is worse than to be contradicted: nobody even looked.",
    ),
    _action(
        key="adoption.barriers",
        title="Barriers named by users",
        question="How often do users say what keeps them from following a recommendation?",
        definition="Count of usage events that name a barrier; broken down by barrier it says which one.",
        why="The most frequent barrier is the next thing to mend, and only its users know it.",
        unit=Unit.COUNT,
        direction=Direction.LOWER,
        interval="none: a complete count",
        finalise=barriers,
        min_n=1,
    ),
    Metric[WeekCells](
        key="adoption.weekly_active",
        title="Eligible users active in a week",
        question="Of those who are meant to use it, how many did in the last week?",
        definition=(
            "Users eligible at the end of the last seven whole days observed who used the initiative in them (a recommendation "
            "merely shown is no use) / users eligible then."
        ),
        why="What nobody opens changes nothing, however good it is; and those who never use it are in no other number.",
        dimension=Dimension.LEARNING,
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=WEEKLY,
        interval=WILSON,
        owner="initiative owner",
        finalise=active,
        min_n=10,
    ),
    Metric[FirstCells](
        key="adoption.first_use_median",
        title="Time to first use",
        question="How long does it take until half of the eligible users have used it?",
        definition=(
            "Kaplan-Meier median from eligible_from to the first use. Who has not used it is censored at the observation end or "
            "when the right ended; use before the right began counts as at once."
        ),
        why="A slow start is a barrier that nobody reports, because those it stops are not there to report it.",
        dimension=Dimension.LEARNING,
        unit=Unit.SECONDS,
        direction=Direction.LOWER,
        rollup=FIRST,
        interval="Kaplan-Meier, log-log transform",
        owner="initiative owner",
        finalise=first_use,
        min_n=10,
    ),
    Metric[DailyCells](
        key="adoption.accepted_change",
        title="Change in acceptance after a day",
        question="Did people follow recommendations more after an intervention than before it?",
        definition=(
            "Share of answers that were accepted in the days from a day on, less the share in as many days before it. Answers "
            "are taken as independent, and what else changed on that day is in the difference too."
        ),
        why="An intervention without a measured effect is a hope; before and after is the least that can be asked of it.",
        dimension=Dimension.LEARNING,
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=DAILY,
        interval=NEWCOMBE,
        owner="initiative owner",
        finalise=change,
        settings=(AT, DAYS),
    ),
)  # fmt: skip
