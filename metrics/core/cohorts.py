"""Cohorts old enough to be judged: early outcomes are rarely typical ones, so realised figures leave young days out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic

from metrics.core.metric import C, Metric, Rollup, Setting

MATURE = "mature"
SETTING = Setting(
    "cohorts", MATURE, "judge only days old enough for their outcomes (mature), or all outcomes known so far (known)",
    (MATURE, "known"),
)  # fmt: skip
SENTENCE = "Only days old enough for their outcomes to have come count, unless cohorts=known."


@dataclass(frozen=True)
class Cohorts(Generic[C]):
    """Which days of a realised metric are old enough, told by the cells of another rollup.

    `dim`: each of its values (a model) has a last day of its own. `last`: that day (since 1970) from one value's cells,
    None where every day counts. `young`: what is said of a group that has no older day.
    """

    rollup: Rollup[C]
    dim: str
    last: Callable[[C], int | None]
    young: str


def matured(metric: Metric[C], cohorts: Cohorts[Any]) -> Metric[C]:
    """The metric over mature cohorts, with the setting that says otherwise and the sentence that says so."""
    return replace(
        metric,
        cohorts=cohorts,
        settings=(*metric.settings, SETTING),
        definition=f"{metric.definition} {SENTENCE}",
        version=metric.version + 1,
    )
