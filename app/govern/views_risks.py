"""The page of risks: the 5 x 5 map with its movements, the register with each rating beside its indicator, acceptances."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.govern.books import bound_of
from app.govern.kept import kept
from app.govern.lint import score
from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_needs import Need, needs
from app.govern.watch import look
from app.measure import words
from app.measure.readings import Readings
from metrics import ALL
from metrics.core.verdict import State, Target, Verdict

REGISTERS = ("risks", "controls", "acceptances", "exceptions", "appetites")
MOST_LINES = 100  # of the register, on one page; the rest is found by its words
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
    """`risks` are the first of `matching` that a search found among `total`."""

    sentence: str
    detail: str
    needs: tuple[Need, ...]
    inherent: Counter[Cell]
    residual: Counter[Cell]
    moves: tuple[Move, ...]
    risks: tuple[RiskLine, ...]
    matching: int
    total: int
    acceptances: tuple[Acceptance, ...]
    registers: tuple[str, ...] = REGISTERS


def risk_board(room: Room, readings: Readings, wanted: str = "") -> RiskBoard:
    """Everything the page of risks shows, indicators read now; of the register what holds every word of `wanted`."""
    ranked = kept(room.state, "risks", lambda: _ranked(room))
    known: dict[Target, Indicator] = {}
    watched = {t: _indicator(t, readings, room.now, known) for t in ranked.watched}
    asked = wanted.lower().split()
    found = (
        [one for one in ranked.risks if all(word in one.text for word in asked)] if asked else ranked.risks
    )
    lines = tuple(_line(room, one, readings, known) for one in found[:MOST_LINES])
    sentence, detail = _sentences(ranked, watched)
    return RiskBoard(
        sentence, detail, needs(room, *REGISTERS), ranked.inherent, ranked.residual, ranked.moves, lines, len(found),
        len(ranked.risks), _acceptances(room),
    )  # fmt: skip


@dataclass(frozen=True)
class Ranked:
    """One risk with what orders it and what a search reads."""

    row: Row
    scores: tuple[int | None, int | None, int | None, int | None]
    appetite: str
    over: bool
    target: Target | None
    text: str


@dataclass(frozen=True)
class Ranking:
    """Every live risk, those above tolerance first, then by their score today; and the counts of the map."""

    risks: tuple[Ranked, ...]
    watched: Counter[Target]
    inherent: Counter[Cell]
    residual: Counter[Cell]
    moves: tuple[Move, ...]


def _ranked(room: Room) -> Ranking:
    rows = room.live("risks")
    pairs = [(_cell(r, "inherent"), _cell(r, "residual")) for r in rows]
    moved = Counter((b, a) for b, a in pairs if b and a and b != a)
    moves = tuple(Move(b, a, n) for (b, a), n in sorted(moved.items()))
    ordered = sorted(
        (_rank(room, r) for r in rows), key=lambda x: (not x.over, -(x.scores[1] or x.scores[0] or 0))
    )
    watched = Counter(one.target for one in ordered if one.target is not None)
    inherent, residual = Counter(b for b, _ in pairs if b), Counter(a for _, a in pairs if a)
    return Ranking(tuple(ordered), watched, inherent, residual, moves)


def _rank(room: Room, row: Row) -> Ranked:
    left = score(row, "residual")
    appetite, over = _appetite(room, row.text("category"), left)
    scores = (score(row, "inherent"), score(row, "current"), left, score(row, "target"))
    names = (row.record_id, row.text("title"), row.text("category"), row.text("treatment"))
    about = (room.title("initiatives", row.text("initiative")), room.name(row.text("owner")))
    return Ranked(row, scores, appetite, over, bound_of(row, "indicator"), " ".join((*names, *about)).lower())


def _sentences(ranked: Ranking, watched: dict[Target, Indicator]) -> tuple[str, str]:
    if not ranked.risks:
        return "No risk is recorded yet.", "Add the first one below."
    over = sum(one.over for one in ranked.risks)
    breached = sum(n for t, n in ranked.watched.items() if watched[t].verdict.state is State.NOT_MET)
    total = words.plural(len(ranked.risks), "risk")
    first = f"{over or 'None'} of {total} would stay above tolerance after treatment."
    second = (
        f"{breached} of {words.plural(ranked.watched.total(), 'live indicator')} in breach. Tolerance is set by category;"
        " scores are likelihood times impact, 1 to 25."
    )
    return first, second


def _cell(row: Row, level: str) -> Cell | None:
    likelihood, impact = row[f"{level}_likelihood"], row[f"{level}_impact"]
    return (likelihood, impact) if isinstance(likelihood, int) and isinstance(impact, int) else None


def _line(room: Room, one: Ranked, readings: Readings, known: dict[Target, Indicator]) -> RiskLine:
    row, due = one.row, one.row["next_review"]
    return RiskLine(
        row.record_id,
        row.text("title"),
        room.title("initiatives", row.text("initiative")),
        row.text("category"),
        room.name(row.text("owner")) if row["owner"] else "nobody",
        one.scores,
        one.appetite,
        one.over,
        row.text("treatment"),
        None if one.target is None else _indicator(one.target, readings, room.now, known),
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
    target: Target, readings: Readings, now: dt.datetime, known: dict[Target, Indicator]
) -> Indicator:
    if target not in known:
        known[target] = _read(target, readings, now)
    return known[target]


def _read(target: Target, readings: Readings, now: dt.datetime) -> Indicator:
    """The metric read now, in words; of several groups the one that asks for attention first."""
    metric = ALL.get(target.metric)
    reading, verdict = look(target, readings, now)
    if metric is None:
        return Indicator(target.metric, verdict)
    value = f" {words.shown(metric, reading).value}" if reading else ""
    return Indicator(f"{metric.title}{value}, {words.target_words(metric, target)}", verdict)


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
