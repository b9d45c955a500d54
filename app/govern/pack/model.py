"""The board pack as data: everything that is printed, frozen. Numbers are Readings; words stand beside them as they were.

A pack printed later from the same snapshot needs no warehouse, no ledger and no catalogue: nothing in it is looked up.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from metrics.core.metric import Reading

FORMAT = "throughline-board-pack-1"


@dataclass(frozen=True)
class Point:
    """One week or month of a trend; `value` None is a gap. `day`: its first day, ISO."""

    day: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Figure:
    """One number of the scorecard with its words. `scale`: what a chart multiplies by (100 for per cent).

    `state` is the verdict, `aim` the target in words and `threshold` as a number; `moved`: the change from the stretch before.
    """

    name: str
    subject: str
    dimension: str
    reading: Reading
    value: str
    interval: str
    n: str
    state: str
    why: str
    aim: str
    threshold: float | None
    owner: str
    fresh: str
    late: bool
    moved: str
    question: str
    definition: str
    axis: str
    scale: float
    trend: tuple[Point, ...]

    @property
    def label(self) -> str:
        return f"{self.name}: {self.subject}" if self.subject else self.name


@dataclass(frozen=True)
class Initiative:
    """One line of the portfolio. `holds`: whether its next gate would be passed today; None where there is none."""

    record_id: str
    title: str
    stage: str
    materiality: str
    owner: str
    gate: str
    holds: bool | None
    why: str
    risks: str
    review: str
    late: bool


@dataclass(frozen=True)
class Decision:
    """A decision of the council. `basis`: SHA-256 of what it rests on; `today`: whether its gate would pass now."""

    number: str
    title: str
    outcome: str
    on: str
    stands: str
    today: str
    outdated: bool
    basis: str


@dataclass(frozen=True)
class Condition:
    """A condition in force or failed, with its state today."""

    number: str
    title: str
    about: str
    owner: str
    due: str
    state: str
    today: str
    why: str


@dataclass(frozen=True)
class Risk:
    """A risk that stays above appetite. Scores are likelihood times impact; None where not rated."""

    record_id: str
    title: str
    initiative: str
    category: str
    owner: str
    inherent: int | None
    current: int | None
    residual: int | None
    target: int | None
    appetite: str
    treatment: str
    indicator: str
    verdict: str


@dataclass(frozen=True)
class Acceptance:
    """An acceptance or exception that has ended or ends soon."""

    record_id: str
    about: str
    kind: str
    state: str
    ends: str
    late: bool


@dataclass(frozen=True)
class Due:
    """Something that is due or went wrong, and whom it concerns."""

    kind: str
    title: str
    text: str
    people: str


@dataclass(frozen=True)
class Study:
    """A study of attributed value. `adds`: whether it is in the sum; `why_not` otherwise."""

    title: str
    initiative: str
    design: str
    grade: str
    effect: str
    value: str
    cost: str
    adds: bool
    why_not: str


@dataclass(frozen=True)
class Chain:
    """The ledger's length and head, and the signed anchor that names them."""

    entries: int
    head: str
    anchor: str
    key: str


@dataclass(frozen=True)
class BoardPack:
    """The whole pack. `left_out`: how many further lines of a list there were, by the list's name."""

    format: str
    made: dt.datetime
    title: str
    scope: str
    code: str
    sentence: str
    detail: str
    targets: tuple[int, int, int, int]
    changes: tuple[str, ...]
    needs: tuple[str, ...]
    figures: tuple[Figure, ...]
    missing: tuple[tuple[str, str], ...]
    initiatives: tuple[Initiative, ...]
    decisions: tuple[Decision, ...]
    kept: str
    conditions: tuple[Condition, ...]
    risk_sentence: str
    risks: tuple[Risk, ...]
    acceptances: tuple[Acceptance, ...]
    alerts: tuple[Due, ...]
    value_sentence: str
    studies: tuple[Study, ...]
    chain: Chain
    left_out: tuple[tuple[str, int], ...]
