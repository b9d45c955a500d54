"""The portfolio: every initiative in one line, whether horizon and risk are balanced, and what asks for a decision.

Nothing is averaged into an index: each column is a record of the ledger or a Reading, and says where it is missing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from app.govern.lint import score
from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_pilots import Pilots, pilots
from app.govern.views_portfolio_numbers import Money, Posture, constraints, costs, postures, study_of
from app.measure import words
from app.measure.judged import Frame
from data.policies.gates import GATES
from data.registers.portfolio import STAGES

HORIZONS = (
    ("Earning", ("production", "scale", "sustain")),
    ("Being tried", ("pilot",)),
    ("Being explored", ("hypothesis", "data reality")),
)
LEVELS = ("up to 4", "5 to 9", "10 to 14", "15 and more", "not rated")
NOBODY = "nobody"


@dataclass(frozen=True)
class Line:
    """One initiative. `asks`: what needs somebody, the strongest first; empty where nothing does."""

    record_id: str
    title: str
    stage: str
    tier: str
    horizon: str
    owner: str
    posture: Posture | None
    risk: int | None
    grade: str
    roi: str
    constraint: str
    gate: str
    waits: str
    asks: tuple[str, ...]


@dataclass(frozen=True)
class Balance:
    """One horizon: initiatives by level of their highest risk today (in the order of LEVELS), and money spent."""

    horizon: str
    stages: str
    counts: tuple[int, ...]
    spent: float
    share: float | None


@dataclass(frozen=True)
class PortfolioBoard:
    """The page. `matching` of `total` initiatives have the words that the reader looks for."""

    sentence: str
    detail: str
    lines: tuple[Line, ...]
    balance: tuple[Balance, ...]
    pilots: Pilots
    total: int
    asking: int


def portfolio_board(room: Room, frame: Frame, wanted: str = "") -> PortfolioBoard:
    """Everything of the page; `wanted`: words that title, stage, owner or what it asks for must all hold."""
    live = tuple(i for i in room.live("initiatives") if i["stage"] != "retired")
    tried = pilots(room, frame.readings)
    lines = tuple(sorted(_lines(room, frame, live, tried), key=_order))
    asked = wanted.lower().split()
    shown = tuple(x for x in lines if all(w in _text(x) for w in asked))
    asking = sum(bool(x.asks) for x in lines)
    return PortfolioBoard(
        *_said(lines, tried, asking), shown, _balance(lines, costs(frame)), tried, len(lines), asking
    )


def _order(line: Line) -> tuple[int, int, str]:
    """What asks for somebody first, then by stage, the furthest first."""
    stage = STAGES.index(line.stage) if line.stage in STAGES else 0
    return -len(line.asks), -stage, line.title.lower()


def _text(line: Line) -> str:
    parts = (line.title, line.stage, line.tier, line.horizon, line.owner, line.grade, line.gate, *line.asks)
    return " ".join(parts).lower()


def _lines(room: Room, frame: Frame, live: tuple[Row, ...], tried: Pilots) -> list[Line]:
    """Each register is walked once, whatever the number of initiatives."""
    money, found = constraints(frame, live), postures(room, frame, live)
    risks, results, gates = _risks(room), study_of(room), _Gates(room)
    traps = {p.record_id: p.trap for p in tried.traps}
    return [
        _line(room, row, money.get(row.record_id, ""), found.get(row.record_id), risks.get(row.record_id),
              results.get(row.record_id), gates, traps.get(row.record_id, ""))
        for row in live
    ]  # fmt: skip


def _line(
    room: Room, row: Row, constraint: str, posture: Posture | None, risk: int | None, study: Money | None,
    gates: _Gates, trap: str,
) -> Line:  # fmt: skip
    slug, stage = row.record_id, row.text("stage")
    held = room.shelf.get("ownership", {}).get(slug)
    owned = held is not None and held.state == "active"
    owner = room.name(held.text("accountable")) if held is not None and owned else NOBODY
    gate, waits = gates.of(slug, stage)
    beyond = posture is not None and posture.beyond
    asks = (
        *(("nobody answers for it",) if not owned else ()), *((f"pilot trap: {trap}",) if trap else ()),
        *((waits,) if gates.asks(slug) else ()), *(("error beyond the declared posture",) if beyond else ()),
    )  # fmt: skip
    return Line(
        slug, row.text("title"), stage, row.text("materiality"), _horizon(stage), owner, posture, risk,
        study.grade if study else "no study", study.roi if study else words.DASH, constraint or words.DASH, gate, waits, asks,
    )  # fmt: skip


def _horizon(stage: str) -> str:
    return next((name for name, stages in HORIZONS if stage in stages), HORIZONS[-1][0])


def _risks(room: Room) -> dict[str, int]:
    """The highest rating today, by initiative."""
    found: dict[str, int] = {}
    for risk in room.live("risks"):
        rated = score(risk, "current")
        if rated is not None:
            slug = risk.text("initiative")
            found[slug] = max(rated, found.get(slug, 0))
    return found


class _Gates:
    """What the council has before it, by initiative: reviews that are open, decisions that came back, conditions due."""

    def __init__(self, room: Room) -> None:
        decided, reviews = room.shelf.get("gate_decisions", {}), room.shelf.get("gate_reviews", {})
        self.open = {
            r.text("initiative"): r
            for r in reviews.values()
            if r.state == "opened" and r.record_id not in decided
        }
        gone = {d.text("supersedes") for d in decided.values()} | set(room.shelf.get("gate_revocations", {}))
        back = {e.text("decision"): e.text("event") for e in room.rows("gate_events")}
        self.back = {
            reviews[name].text("initiative"): (reviews[name].text("gate"), event)
            for name, event in back.items()
            if name in reviews and name not in gone
        }
        self.due: dict[str, list[dt.date]] = defaultdict(list)
        for one in room.live("conditions"):
            review, due = reviews.get(one.text("review")), one["due"]
            if review is not None and isinstance(due, dt.date) and review.record_id not in gone:
                self.due[review.text("initiative")].append(due)
        self.today = room.today

    def of(self, slug: str, stage: str) -> tuple[str, str]:
        """The gate that comes next, and what it waits for."""
        if slug in self.open:
            review = self.open[slug]
            return review.text("gate"), f"in review since {words.date(review.at.date())}"
        if slug in self.back:
            gate, event = self.back[slug]
            return gate, "came back: a condition failed" if event == "returned" else "lapsed: never ratified"
        at = STAGES.index(stage) + 1 if stage in STAGES else 0
        gate = GATES[min(at, len(GATES) - 1)]
        dues = self.due.get(slug)
        if not dues:
            return gate, "no review is open"
        late = " and overdue" if min(dues) < self.today else ""
        return gate, f"{words.plural(len(dues), 'condition')} open, next due {words.date(min(dues))}{late}"

    def asks(self, slug: str) -> bool:
        """Whether the council or an owner is waited for."""
        late = any(due < self.today for due in self.due.get(slug, ()))
        return slug in self.open or slug in self.back or late


def _level(risk: int | None) -> int:
    return 4 if risk is None else sum(risk > bound for bound in (4, 9, 14))


def _balance(lines: tuple[Line, ...], spent: dict[str, float]) -> tuple[Balance, ...]:
    whole = sum(spent.get(x.record_id, 0.0) for x in lines)
    found = []
    for name, stages in HORIZONS:
        own = [x for x in lines if x.horizon == name]
        money = sum(spent.get(x.record_id, 0.0) for x in own)
        counts = tuple(sum(_level(x.risk) == at for x in own) for at in range(len(LEVELS)))
        found.append(Balance(name, ", ".join(stages), counts, money, money / whole if whole else None))
    return tuple(found)


def _said(lines: tuple[Line, ...], tried: Pilots, asking: int) -> tuple[str, str]:
    """The sentence that matters and one line under it, by rules."""
    if not lines:
        return "No initiative is recorded yet.", "Add the first one on the page Initiatives."
    stages = [x.stage for x in lines]
    held = ", ".join(f"{stages.count(s)} in {s}" for s in STAGES if s in stages)
    attributed = sum(x.grade in ("randomised", "quasi-experimental") for x in lines)
    shown = words.plural(attributed, "initiative has", "initiatives have")
    detail = (
        f"{words.plural(len(lines), 'initiative')}: {held}. {shown} attributed value. {asking} need somebody."
    )
    traps = tried.traps
    if traps:
        named = words.listed(tuple(p.title for p in traps))
        verb = "has" if len(traps) == 1 else "have"
        return f"{named} {verb} outlived the pilot that was promised.", detail
    orphans = tuple(x.title for x in lines if x.owner == NOBODY)
    if orphans:
        return f"Nobody answers for {words.listed(orphans)}.", detail
    return f"No pilot has outlived its promise, and all {len(lines)} initiatives have an owner.", detail
