"""Adoption: whether people follow what an initiative recommends, go their own way, or look past it."""

from __future__ import annotations

from functools import partial

from metrics._adoption_usage import ACTIONS, ActionCells, answered, barriers
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (ACTIONS,)
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
)  # fmt: skip
