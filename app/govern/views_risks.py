"""The page of risks: the 5 x 5 map with its movements, the register with each rating beside its indicator, acceptances."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.govern.books import bound_of
from app.govern.lint import score
from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_needs import Need, needs
from app.measure import words
from app.measure.judged import ORDER
from app.measure.readings import Readings
from metrics import ALL
from metrics.core.metric import Scope
from metrics.core.verdict import State, Target, Verdict, judge

REGISTERS = ("risks", "controls", "acceptances", "exceptions", "appetites")
SOON = dt.timedelta(days=30)
Cell = tuple[int, int]  # likelihood, impact


@dataclass(frozen=True)
class Move:
    """How many risks go from one cell (inherent) to another (residual)."""

    before: Cell
    after: Cell
    count: int


@dataclass(frozen=True)
class Indicator:
    """A risk's metric today against its bound, in words, with the verdict."""

    text: str
    verdict: Verdict


@dataclass(frozen=True)
class RiskLine:
    """One risk of the register. Scores are likelihood x impact, None where not rated."""

    record_id: str
    title: str
    initiative: str
    category: str
    owner: str
    scores: tuple[int | None, int | None, int | None, int | None]
    appetite: str
    over: bool
    treatment: str
    indicator: Indicator | None
    review: str


@dataclass(frozen=True)
class Acceptance:
    """One acceptance or exception and when it ends."""

    record_id: str
    about: str
    kind: str
    state: str
    ends: str
    late: bool


@dataclass(frozen=True)
class RiskBoard:
    sentence: str
    detail: str
    needs: tuple[Need, ...]
    inherent: Counter[Cell]
    residual: Counter[Cell]
    moves: tuple[Move, ...]
    risks: tuple[RiskLine, ...]
    acceptances: tuple[Acceptance, ...]
    registers: tuple[str, ...] = REGISTERS


def risk_board(room: Room, readings: Readings) -> RiskBoard:
    """Everything the page of risks shows, indicators read now."""
    risks = room.live("risks")
    known: dict[Target, Indicator] = {}
    lines = tuple(_line(room, row, readings, known) for row in risks)
    inherent = Counter(c for r in risks if (c := _cell(r, "inherent")))
    residual = Counter(c for r in risks if (c := _cell(r, "residual")))
    pairs = Counter((b, a) for r in risks if (b := _cell(r, "inherent")) and (a := _cell(r, "residual")))
    moves = tuple(Move(b, a, n) for (b, a), n in sorted(pairs.items()) if b != a)
    ordered = tuple(sorted(lines, key=lambda x: (not x.over, -(x.scores[1] or x.scores[0] or 0))))
    sentence, detail = _sentences(ordered)
    return RiskBoard(
        sentence, detail, needs(room, *REGISTERS), inherent, residual, moves, ordered, _acceptances(room)
    )


def _sentences(lines: tuple[RiskLine, ...]) -> tuple[str, str]:
    if not lines:
        return "No risk is recorded yet.", "Add the first one below."
    over = sum(line.over for line in lines)
    breached = sum(
        line.indicator is not None and line.indicator.verdict.state is State.NOT_MET for line in lines
    )
    total = words.plural(len(lines), "risk")
    first = f"{over or 'None'} of {total} would stay above tolerance after treatment."
    watched = sum(line.indicator is not None for line in lines)
    second = (
        f"{breached} of {words.plural(watched, 'live indicator')} in breach. Tolerance is set by category;"
        " scores are likelihood times impact, 1 to 25."
    )
    return first, second


def _cell(row: Row, level: str) -> Cell | None:
    likelihood, impact = row[f"{level}_likelihood"], row[f"{level}_impact"]
    return (likelihood, impact) if isinstance(likelihood, int) and isinstance(impact, int) else None


def _line(room: Room, row: Row, readings: Readings, known: dict[Target, Indicator]) -> RiskLine:
    left = score(row, "residual")
    appetite, over = _appetite(room, row.text("category"), left)
    due = row["next_review"]
    return RiskLine(
        row.record_id,
        row.text("title"),
        room.title("initiatives", row.text("initiative")),
        row.text("category"),
        room.name(row.text("owner")) if row["owner"] else "nobody",
        (score(row, "inherent"), score(row, "current"), left, score(row, "target")),
        appetite,
        over,
        row.text("treatment"),
        _indicator(row, readings, room.now, known),
        words.date(due) if isinstance(due, dt.date) else words.DASH,
    )


def _appetite(room: Room, category: str, left: int | None) -> tuple[str, bool]:
    """Where the residual score lies against its category, and whether that is more than is borne."""
    row = room.shelf["appetites"].get(category)
    if row is None or row.state != "active":
        return "no appetite set", False
    if left is None:
        return "not rated", False
    appetite, tolerance = row["appetite"], row["tolerance"]
    if isinstance(tolerance, int) and left > tolerance:
        return f"above tolerance {tolerance}", True
    if isinstance(appetite, int) and left > appetite:
        return f"above appetite {appetite}", False
    return "within appetite", False


def _indicator(
    row: Row, readings: Readings, now: dt.datetime, known: dict[Target, Indicator]
) -> Indicator | None:
    target = bound_of(row, "indicator")
    if target is None:
        return None
    if target not in known:
        known[target] = _read(target, readings, now)
    return known[target]


def _read(target: Target, readings: Readings, now: dt.datetime) -> Indicator:
    """The metric read now; of several groups the one that asks for attention first."""
    metric = ALL.get(target.metric)
    if metric is None:
        return Indicator(target.metric, Verdict(State.NO_DATA, "this metric is not in the catalogue", target))
    aim = words.target_words(metric, target)
    try:
        found = readings.read(metric, Scope(where=target.where))
    except ValueError as error:
        return Indicator(f"{metric.title}, {aim}", Verdict(State.NO_DATA, str(error), target))
    judged = [(r, judge(r, target, now)) for r in found]
    reading, verdict = min(judged, key=lambda pair: ORDER.index(pair[1].state))
    return Indicator(f"{metric.title} {words.shown(metric, reading).value}, {aim}", verdict)


def _acceptances(room: Room) -> tuple[Acceptance, ...]:
    """Acceptances and exceptions that count or have just come to their end, the soonest first."""
    rows = [(kind, row) for kind in ("acceptances", "exceptions") for row in room.rows(kind)]
    chosen: Iterable[tuple[str, Row]] = sorted(
        (pair for pair in rows if pair[1].state in ("accepted", "submitted", "expired")),
        key=lambda pair: str(pair[1]["expires"] or "9999"),
    )
    return tuple(_acceptance(room, kind, row) for kind, row in chosen)


def _acceptance(room: Room, kind: str, row: Row) -> Acceptance:
    about = room.title("risks", row.text("risk")) if kind == "acceptances" else row.text("rule")
    day = row["expires"]
    ends = words.date(day) if isinstance(day, dt.date) else "no day"
    late = row.state == "expired" or (isinstance(day, dt.date) and day < room.today)
    if isinstance(day, dt.date) and not late and day - room.today <= SOON:
        ends += f", in {words.plural((day - room.today).days, 'day')}"
    if row["tripwire_metric"]:
        ends += f", or when {row.text('tripwire_metric')} is not {row.text('tripwire_comparator')} {row['tripwire_threshold']}"
    return Acceptance(row.record_id, about, kind.removesuffix("s"), row.state, ends, late)
