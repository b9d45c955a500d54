"""The measured columns of the portfolio: posture, constraint, cost and return, each read once for all initiatives."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from app.govern.model import Row
from app.govern.views import Room
from app.measure import words
from app.measure.chain_cards import COST, SIGNALS
from app.measure.judged import Frame, Judged, weakest
from data.registers.baselines import GRADES
from metrics import ALL
from metrics._chain_line import LINKS, LOSSES, NAMES, Line, LineCells, constraint, valued
from metrics._chain_rows import LINE
from metrics.core.metric import Metric, Reading
from metrics.core.verdict import Comparator, State, Target, judge


@dataclass(frozen=True)
class Posture:
    """The declared acceptable error against the measured one; of several decisions the one that asks first."""

    declared: str
    judged: Judged | None

    @property
    def beyond(self) -> bool:
        return self.judged is not None and self.judged.verdict.state is State.NOT_MET


@dataclass(frozen=True)
class Money:
    """The evidence grade of an initiative's best study, and its return where the value may be called attributed."""

    grade: str
    roi: str


def postures(room: Room, frame: Frame, live: tuple[Row, ...]) -> dict[str, Posture]:
    """By initiative; each error metric is read once, for all models."""
    decisions = {d.record_id: d.text("initiative") for d in room.live("decisions")}
    models = {i.record_id: i.words("model_ids") for i in live}
    measured: dict[str, dict[str, Reading]] = {}
    found: dict[str, list[Posture]] = defaultdict(list)
    for row in room.live("postures"):
        slug, key = decisions.get(row.text("decision"), ""), row.text("metric")
        metric, bound = ALL.get(key), row["acceptable"]
        if slug not in models or metric is None or not isinstance(bound, int | float):
            continue
        if key not in measured:
            measured[key] = _by_model(frame, metric)
        target = Target(key, Comparator(row.text("comparator")), float(bound))
        own = tuple(
            Judged(metric, r, judge(r, target, frame.moment), m)
            for m in models[slug]
            if (r := measured[key].get(m))
        )
        declared = f"{metric.title} {target.comparator} {words.target_number(metric, target.threshold)}"
        found[slug].append(Posture(declared, weakest(own) if own else None))
    return {slug: max(many, key=_first) for slug, many in found.items()}


def _first(one: Posture) -> tuple[bool, bool]:
    return one.beyond, one.judged is not None


def _by_model(frame: Frame, metric: Metric[object]) -> dict[str, Reading]:
    """The metric of every model; nothing where it knows no models or must be kept apart by more than these."""
    if "model_id" not in metric.rollup.dims or set(metric.apart) - {"model_id"}:
        return {}
    asked = replace(frame.scope(metric), where=(), by=("model_id",))
    read = frame.readings.read(metric, asked)
    return {str(dict(r.by)["model_id"]): r for r in read if "model_id" in dict(r.by)}


def constraints(frame: Frame, live: tuple[Row, ...]) -> dict[str, str]:
    """Where each initiative loses most, in money where it is measured; the chain is read once."""
    groups = frame.readings.cells(LINE, replace(frame.scope(ALL[SIGNALS]), where=(), by=()))
    by: dict[str, list[Line]] = defaultdict(list)
    for line in groups[0][1].lines if groups else ():
        by[line.name].append(line)
    told = {}
    for row in live:
        lines = tuple(line for m in row.words("model_ids") for line in by.get(m, ()))
        if lines:
            told[row.record_id] = _constraint(LineCells(lines))
    return told


def _constraint(cells: LineCells) -> str:
    if not cells.count(*LINKS):
        return ""
    chain = valued(cells)
    found = constraint(chain)
    if found is not None and chain.measured and found.value.low > 0:
        return f"{_place(found.link)}: {words.compact(found.value.value)} to win back"
    most = max(LOSSES, key=chain.count)
    n = chain.count(most)
    return f"{_place(most)}: {words.plural(n, 'signal')}" if n else "none lost"


def _place(link: str) -> str:
    return NAMES[link].removeprefix("Lost ")


def costs(frame: Frame) -> dict[str, float]:
    """Money spent in the period, by initiative."""
    metric = ALL[COST]
    asked = replace(frame.scope(metric), where=(), by=("initiative_id",))
    read = frame.readings.read(metric, asked)
    return {str(dict(r.by).get("initiative_id")): r.value for r in read if r.value is not None}


def study_of(room: Room) -> dict[str, Money]:
    """The newest result of each study; of an initiative's studies the one that counts, then the best grade."""
    newest: dict[str, Row] = {}
    for row in sorted(room.rows("study_results"), key=lambda r: r.seq):
        newest[row.text("study")] = row
    found: dict[str, list[Row]] = defaultdict(list)
    for study in room.live("studies"):
        if study.record_id in newest and study.text("initiative"):
            found[study.text("initiative")].append(newest[study.record_id])
    return {slug: _money(min(rows, key=_rank)) for slug, rows in found.items()}


def _rank(row: Row) -> tuple[bool, int, int]:
    return not row["counted"], GRADES.index(row.text("grade")), -row.seq


def _money(row: Row) -> Money:
    """ROI = (attributed value - cost of ownership) / cost of ownership, with the interval of the value."""
    names = ("value", "value_low", "value_high")
    found = tuple(v for n in names if isinstance(v := row[n], int | float))
    cost = row["cost"]
    if not row["counted"] or len(found) < len(names) or not isinstance(cost, int | float) or cost <= 0:
        return Money(row.text("grade"), words.DASH)
    mid, low, high = ((v - cost) / cost for v in found)
    told = tuple(words.formatted(v, "+.1f") for v in (mid, low, high))
    return Money(row.text("grade"), f"{told[0]} ({told[1]} to {told[2]})")
