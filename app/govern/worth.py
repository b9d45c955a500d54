"""What the first screen says of money and of decisions: attributed value against cost, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.govern import studies
from app.govern.gates import decided
from app.govern.gates.look import Look
from app.govern.kept import kept
from app.govern.model import Row
from app.govern.study_words import amount as plain
from app.govern.views import Room
from app.govern.views_needs import needs
from app.govern.views_value import Portfolio, portfolio
from app.measure import words
from app.settings import Settings
from data.registers.baselines import GRADES

URGENT = ("orphan", "expired acceptance relied on", "accepted without acceptance")
MOST_OF_A_RULE = 2


@dataclass(frozen=True)
class Worth:
    """Attributed value and cost in words. `net` signed; `adverse`: the whole interval of the value lies below zero.

    `grades`: (grade, how many studies) best first, of those added; `beside`: what is not added, and why.
    """

    value: str
    interval: str
    cost: str
    net: str
    way: str
    grades: tuple[tuple[str, int], ...]
    beside: str
    missing: str = ""


@dataclass(frozen=True)
class Decision:
    """Something that waits for a decision: what, whose, and the page that it is decided on."""

    kind: str
    title: str
    text: str
    page: str
    record: str
    mine: bool


def worth(room: Room, settings: Settings, initiative: str = "") -> Worth:
    """What studies attribute to everything, or to one initiative. Only the two best grades are ever added."""
    found = kept(room.state, ("portfolio", settings.home), lambda: portfolio(room, settings))
    rows = tuple(r for r in _newest(room) if not initiative or _initiative(room, r) == initiative)
    added = {line.study for line in found.lines if line.adds}
    counted = tuple(r for r in rows if r.text("study") in added)
    beside = _beside(tuple(r for r in rows if r.text("study") not in added))
    if not counted:
        missing = beside or "No study has measured it yet, so nothing is attributed."
        return Worth(words.DASH, "", words.DASH, "", "not attributed", (), "", missing)
    value, low, high, cost = _sum(found, counted, whole=not initiative)
    net, paid = value - cost, cost > 0
    way = _way(low, high, cost)
    grades = tuple((g, n) for g in GRADES if (n := sum(r["grade"] == g for r in counted)))
    return Worth(
        amount(value), f"{amount(low)} to {amount(high)}", amount(cost) if paid else "not recorded",
        amount(net) if paid else "", way, grades, beside,
    )  # fmt: skip


def amount(value: float) -> str:
    """Money to three digits."""
    return plain(value).replace("-", words.MINUS)


def _newest(room: Room) -> tuple[Row, ...]:
    results = room.rows("study_results")
    found = (studies.newest(results, s.record_id) for s in room.live("studies"))
    return tuple(r for r in found if r is not None)


def _initiative(room: Room, result: Row) -> str:
    study = room.shelf["studies"].get(result.text("study"))
    return study.text("initiative") if study else ""


def _sum(found: Portfolio, counted: tuple[Row, ...], *, whole: bool) -> tuple[float, float, float, float]:
    """Value with its interval, and cost; the whole portfolio's are those of the Value page."""
    if whole and found.total is not None:
        return found.total.value, found.total.low, found.total.high, found.total.cost
    one = counted[0]
    value, low, high, cost = (float(v) if isinstance(v := one[n], float) else 0.0 for n in _MONEY)
    return value, low, high, cost


_MONEY = ("value", "value_low", "value_high", "cost")


def _way(low: float, high: float, cost: float) -> str:
    """What the interval allows to be said of value against cost."""
    if high < 0:
        return "value is destroyed"
    if low <= 0:
        return "cannot be told from nothing yet"
    if low > cost:
        return "more than it costs"
    return "less than it costs" if high < cost else "about what it costs"


def _beside(left: tuple[Row, ...]) -> str:
    """Results that are shown and never added."""
    grades = [r.text("grade") for r in left]
    parts = tuple(f"{grades.count(g)} {g}" for g in dict.fromkeys(grades))
    if not parts:
        return ""
    return f"Beside it, never added: {words.listed(parts)} {'study' if len(left) == 1 else 'studies'}."


def decisions(room: Room, initiative: str = "") -> tuple[Decision, ...]:
    """What waits for a decision, the reader's own first: open reviews, decisions that came back, requests, orphans."""
    found = (*_reviews(room), *_returned(room), *_needs(room))
    chosen = (d for d, about in found if not initiative or about == initiative)
    return tuple(sorted(chosen, key=lambda d: not d.mine))


def _reviews(room: Room) -> Iterator[tuple[Decision, str]]:
    look = Look(room.now, room.shelf)
    me = room.actor.identity if room.actor else ""
    for review in look.rows("gate_reviews"):
        if decided.phase(look, review) is not decided.Phase.OPEN:
            continue
        about = review.text("initiative")
        seat = me in review.words("members")
        voted = decided.ballot(look, review).seat(me) is not None
        days = (room.today - review.at.date()).days
        text = f"{review.text('gate')} gate, open for {words.plural(max(days, 0), 'day')}"
        mine = seat and not voted
        yield _decision(
            "your vote" if mine else "open review",
            room,
            about,
            text,
            ("council", review.record_id),
            mine=mine,
        )


def _returned(room: Room) -> Iterator[tuple[Decision, str]]:
    look = Look(room.now, room.shelf)
    for decision in look.rows("gate_decisions"):
        if decided.stands(look, decision) in (decided.Stands.RETURNED, decided.Stands.LAPSED):
            review = decided.review_of(look, decision)
            state = decided.stands(look, decision).value
            text = f"the decision on its {review.text('gate')} gate has {'come back' if state == 'returned' else state}"
            target = ("council", review.record_id)
            yield _decision("decide again", room, review.text("initiative"), text, target, mine=False)


def _needs(room: Room) -> Iterator[tuple[Decision, str]]:
    """Requests handed in, and the findings that only a decision mends."""
    seen: dict[str, int] = {}
    for need in needs(room, "initiatives", "ownership", "risks", "acceptances", "exceptions"):
        if need.rule != "waits for a decision" and need.rule not in URGENT:
            continue
        seen[need.rule] = seen.get(need.rule, 0) + 1
        if seen[need.rule] > MOST_OF_A_RULE:
            continue
        page = "ownership" if need.rule == "orphan" else "risks"
        yield (
            Decision(need.rule, need.title, need.text, page, need.record_id, need.mine),
            _about(room, need.record_id),
        )


def _about(room: Room, record_id: str) -> str:
    """The initiative of a record, wherever it lies."""
    for register in ("risks", "exceptions"):
        row = room.shelf[register].get(record_id)
        if row is not None:
            return row.text("initiative")
    acceptance = room.shelf["acceptances"].get(record_id)
    return _about(room, acceptance.text("risk")) if acceptance is not None else record_id


def _decision(
    kind: str, room: Room, initiative: str, text: str, target: tuple[str, str], *, mine: bool
) -> tuple[Decision, str]:
    title = room.title("initiatives", initiative)
    return Decision(kind, title, words.sentence(text), target[0], target[1], mine), initiative
