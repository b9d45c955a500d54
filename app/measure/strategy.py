"""The strategy map: which numbers should move which, and how they really moved together. Association, never cause."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.measure import words
from app.measure.judged import Frame, Judged, bucket_of, drawable, history, weakest
from app.measure.scorecard import TITLES
from metrics import ALL
from metrics.core.association import association
from metrics.core.metric import Dimension, Direction, Estimate, Reading

ORDER = (Dimension.LEARNING, Dimension.TECHNICAL, Dimension.PROCESS, Dimension.BUSINESS)


@dataclass(frozen=True)
class Promise:
    """A link of the strategy: moving `cause` for the better should move `effect` for the better, and why."""

    cause: str
    effect: str
    why: str


PROMISES = (
    Promise("activation.loop_closure", "model.auc", "Outcomes that reach the model keep its ranking true."),
    Promise("adoption.accepted_share", "chain.converted_share", "Advice that is followed can do something."),
    Promise("model.auc", "chain.converted_share", "Better ranking should find those who act on a message."),
    Promise("model.precision", "chain.converted_share", "Fewer wrong flags should leave more who convert."),
    Promise("identity.unlinkable_share", "chain.reached_share", "A score without a person reaches nobody."),
    Promise("activation.score_staleness_median", "chain.converted_share", "A fresher score speaks of the customer of today."),
    Promise("activation.in_window_share", "chain.reached_share", "Messages in time should reach their person."),
    Promise("suppression.violation_rate", "chain.converted_share", "People who are left in peace stay reachable."),
    Promise("chain.reached_share", "chain.converted_share", "Who is reached in the window can convert."),
    Promise("chain.reached_share", "chain.attributed_value", "Value can only come from those who were reached."),
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A number on the map."""

    key: str
    title: str
    dimension: Dimension
    one: Judged


@dataclass(frozen=True)
class Link:
    """A promise and its measured association. `wanted`: the sign it should have; `kept` None where it is not clear."""

    promise: Promise
    cause: str
    effect: str
    measured: Estimate
    wanted: int
    subject: str

    @property
    def kept(self) -> bool | None:
        value, low, high = self.measured.value, self.measured.low, self.measured.high
        if value is None or low is None or high is None or low <= 0 <= high:
            return None
        return (value > 0) == (self.wanted > 0)

    def sentence(self) -> str:
        """The association in words that claim no cause."""
        value = self.measured.value
        if value is None:
            return f"Not known: {self.measured.reason}."
        if self.kept is None:
            return "No clear association: the interval holds 0."
        if self.kept:
            return "They moved together as hoped. An association, not a cause."
        return "They moved against what was hoped. An association, not a cause."


@dataclass(frozen=True)
class StrategyMap:
    sentence: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def column(self, dimension: Dimension) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.dimension is dimension)


def strategy_map(frame: Frame) -> StrategyMap:
    """Every promise under the page's view: all models together, or one."""
    keys = tuple(dict.fromkeys(k for p in PROMISES for k in (p.cause, p.effect) if k in ALL))
    judged = {key: weakest(found) for key in keys if (found := frame.read(ALL[key]))}
    nodes = tuple(Node(k, ALL[k].title, ALL[k].dimension, one) for k, one in judged.items())
    links = tuple(
        link for p in PROMISES if p.cause in judged and p.effect in judged for link in _links(frame, p)
    )
    return StrategyMap(_sentence(links), nodes, links)


def _links(frame: Frame, promise: Promise) -> tuple[Link, ...]:
    """One link a model where the two numbers are kept by model, else one for all."""
    causes, effects = (frame.read(ALL[k]) for k in (promise.cause, promise.effect))
    return tuple(_link(frame, promise, a, b) for a in causes for b in effects if _agree(a.reading, b.reading))


def _agree(a: Reading, b: Reading) -> bool:
    """Whether two readings speak of the same model, or one of them of all."""
    first, second = dict(a.by), dict(b.by)
    return all(first[k] == second[k] for k in first.keys() & second.keys())


def _link(frame: Frame, promise: Promise, a: Judged, b: Judged) -> Link:
    cause, effect = ALL[promise.cause], ALL[promise.effect]
    wanted = 1 if _better(cause.direction) == _better(effect.direction) else -1
    subject = a.subject or b.subject
    return Link(promise, cause.title, effect.title, _measured(frame, a, b), wanted, subject)


def _better(direction: Direction) -> int:
    return -1 if direction is Direction.LOWER else 1


def _measured(frame: Frame, a: Judged, b: Judged) -> Estimate:
    pinned = tuple(pair for pair in a.reading.by if pair[0] in ("model_id",))
    first, second = (_series(frame, one, pinned) for one in (a, b))
    weeks = sorted(first.keys() | second.keys())
    columns = (np.array([s.get(w, np.nan) for w in weeks], float) for s in (first, second))
    return association(*columns)


def _series(frame: Frame, one: Judged, pinned: tuple[tuple[str, str | None], ...]) -> dict[str, float]:
    """Values by week; for a number kept for all models, those of the other side's model where it can be cut so."""
    held = frame.readings.dimensions(one.metric.rollup)
    extra = tuple(p for p in pinned if p[0] in held and p[0] not in dict(one.reading.by))
    whose = replace(one, reading=replace(one.reading, by=(*one.reading.by, *extra)))
    trend = drawable(one.metric, history(frame, whose))
    return {bucket: r.value for r in trend if r.value is not None and (bucket := bucket_of(r))}


def _sentence(links: tuple[Link, ...]) -> str:
    kept = sum(link.kept is True for link in links)
    against = sum(link.kept is False for link in links)
    open_ = len(links) - kept - against
    if not links:
        return "Nothing of the strategy is measured yet."
    return (
        f"Of {words.plural(len(links), 'hoped-for link')}, {kept} moved together as hoped, {against} against it, and"
        f" {open_} cannot be told apart from chance."
    )


def columns(found: StrategyMap) -> tuple[tuple[str, tuple[Node, ...]], ...]:
    """The map's columns from learning to business, those with a number on them."""
    return tuple((TITLES[d], found.column(d)) for d in ORDER if found.column(d))
