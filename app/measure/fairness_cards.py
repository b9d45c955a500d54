"""The Fairness page: rates by protected attribute with their intervals, gaps, and the four-fifths rule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure import words
from app.measure.judged import ORDER, Frame, Judged
from metrics import ALL, ROLLUPS
from metrics.core.metric import Metric
from metrics.core.verdict import State

RATES = ("fairness.false_positive_rate", "fairness.false_negative_rate", "fairness.selection_rate")
FURTHER = ("fairness.true_positive_rate", "fairness.precision")
FOUR_FIFTHS = "fairness.four_fifths"


@dataclass(frozen=True)
class RatePanel:
    """One rate of every group of an attribute, and what its intervals allow one to say."""

    metric: Metric[object]
    groups: tuple[Judged, ...]
    finding: str


@dataclass(frozen=True)
class AttributeCard:
    """One protected attribute: panels of rates, gaps to the reference group, and the four-fifths ratios."""

    name: str
    panels: tuple[RatePanel, ...]
    gaps: tuple[Judged, ...]
    fifths: tuple[Judged, ...]


@dataclass(frozen=True)
class FairnessBoard:
    """The page: which model, the sentence that matters, and a card for each attribute (`missing` where none)."""

    model: str
    sentence: str
    detail: str
    verdict: Judged | None
    cards: tuple[AttributeCard, ...]
    missing: str = ""


def fairness_board(frame: Frame) -> FairnessBoard:
    """The board of the chosen model, else of the one whose four-fifths ratio asks for attention first."""
    held = frame.readings.dimensions(ROLLUPS["fairness.decisions"])
    attributes = tuple(d for d in held if d.startswith("attr_"))
    overall = frame.read(ALL[FOUR_FIFTHS])
    known = [j for j in overall if dict(j.reading.by).get("model_id")]
    if not known:
        todo = frame.todo("predictions with attr_* columns, and labels", overall[0].reading.reason)
        return FairnessBoard("", "No decision to judge yet.", "", None, (), todo)
    worst = min(known, key=_urgency)
    model = dict(worst.reading.by)["model_id"] or ""
    if not attributes:
        todo = "no protected attribute is loaded: add attr_* columns to predictions, then run refresh"
        return FairnessBoard(model, "Fairness cannot be judged yet.", "", None, (), todo)
    own = replace(frame, view=replace(frame.view, model=model))
    cards = tuple(_card(own, name) for name in attributes)
    return FairnessBoard(model, four_fifths(worst), worst.metric.why, worst, cards)


def _urgency(one: Judged) -> tuple[int, float]:
    value = one.reading.value
    return ORDER.index(one.verdict.state), float("inf") if value is None else value


def four_fifths(one: Judged) -> str:
    """What the four-fifths rule allows one to say of one model."""
    model, group = dict(one.reading.by)["model_id"], _group(one)
    if one.reading.value is None:
        return f"{model}: the four-fifths rule cannot be applied ({one.reading.reason})."
    shown = words.shown(one.metric, one.reading)
    ending = {
        State.MET: "the four-fifths rule holds",
        State.NOT_MET: "the four-fifths rule does not hold",
        State.INCONCLUSIVE: "whether the four-fifths rule holds cannot be told yet",
    }.get(
        one.verdict.state,
        f"the verdict is {one.verdict.state.value}" if one.has_target else "no target is set",
    )
    times = f"{shown.value} times as often as the group it flags most ({shown.interval})"
    return f"{model} flags {group} {times}: {ending}."


def _group(one: Judged) -> str:
    pair = next(((k, v) for k, v in one.reading.by if k.startswith("attr_")), None)
    return "a group" if pair is None else f"{words.named(pair[0])} {pair[1] or 'not recorded'}"


def _card(frame: Frame, name: str) -> AttributeCard:
    panels = tuple(_panel(frame, ALL[key], name) for key in (*RATES, *FURTHER))
    gaps = tuple(j for key in RATES for j in _by(frame, ALL[f"{key}_difference"], name))
    return AttributeCard(name, panels, gaps, _by(frame, ALL[FOUR_FIFTHS], name))


def _by(frame: Frame, metric: Metric[object], name: str) -> tuple[Judged, ...]:
    found = frame.readings.read(metric, replace(frame.scope(metric), by=(name,)))
    judged = frame.judge(metric, found)
    return tuple(replace(j, subject=dict(j.reading.by).get(name) or "not recorded") for j in judged)


def _panel(frame: Frame, metric: Metric[object], name: str) -> RatePanel:
    groups = _by(frame, metric, name)
    known = [j for j in groups if j.reading.value is not None]
    title = metric.title.split(" (")[0]
    if len(known) < 2:
        return RatePanel(metric, groups, f"{title}: fewer than two groups to compare")
    low = min(known, key=lambda j: j.reading.value or 0.0)
    high = max(known, key=lambda j: j.reading.value or 0.0)
    ends = tuple(words.shown(metric, j.reading).value for j in (low, high))
    if (low.reading.high or 0.0) < (high.reading.low or 0.0):
        return RatePanel(metric, groups, f"{title}: {ends[0]} of {low.subject}, {ends[1]} of {high.subject}")
    return RatePanel(metric, groups, f"{title}: no clear difference between groups")
