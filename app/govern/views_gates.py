"""The council's page: what is on its agenda, one item's evidence frozen beside today's, its votes and its record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.gates import criteria as terms
from app.govern.gates import decided, panel
from app.govern.gates.evaluate import Sources
from app.govern.gates.look import Look
from app.govern.gates.review import sight
from app.govern.gates.then import Calibration, ThenNow, calibration, compare
from app.govern.kept import kept
from app.govern.model import Row
from app.govern.views import Room
from app.measure import words
from app.measure.admitted import Objections, once
from app.measure.readings import Readings
from app.runtime import Runtime

SOON = dt.timedelta(days=30)  # acceptances that end within these days are on the agenda


@dataclass(frozen=True)
class Item:
    """Something on the agenda. `review`: whose item it opens; empty where it is about another register.

    `point`: kind and record as a meeting's agenda keeps them.
    """

    kind: str
    review: str
    title: str
    text: str
    mine: bool
    point: str = ""


@dataclass(frozen=True)
class Decided:
    """A past decision in the list, and whether its gate would pass today."""

    number: str
    title: str
    outcome: str
    on: str
    stands: str
    today: str
    outdated: bool
    basis: str


@dataclass(frozen=True)
class Board:
    sentence: str
    detail: str
    agenda: tuple[Item, ...]
    reviews: tuple[tuple[str, str], ...]
    past: tuple[Decided, ...]
    kept: str


def sources_of(
    room: Room, runtime: Runtime, readings: Readings, objections: Objections | None = None
) -> Sources:
    """What the page judges on: the ledger as the room saw it, the numbers of this run, and the contracts as they are
    when they are asked (or `objections`, where many questions belong to one moment).
    """
    from app.govern.admissibility import reasons

    ask = objections or runtime.contracts.failures
    return Sources(Look(room.now, room.shelf), readings, lambda metric: reasons(ask, metric))


def council_board(room: Room, runtime: Runtime, readings: Readings) -> Board:
    """The agenda and the past decisions, numbers read now."""
    found = sources_of(room, runtime, readings, once(runtime.contracts.failures))
    past = tuple(compare(found, d) for d in sorted(found.look.rows("gate_decisions"), key=lambda d: -d.seq))
    agenda = (*_reviews(room, found), *_decisions(room, past), *_acceptances(room))
    ordered = tuple(sorted(agenda, key=lambda item: not item.mine))
    reviews = tuple((r.record_id, title_of(room, r)) for r in reversed(found.look.rows("gate_reviews")))
    sentence, detail = _sentences(ordered, past)
    decided_lines = tuple(_decided(room, p) for p in past)
    return Board(
        sentence, detail, ordered, reviews, decided_lines, kept_words(_calibration(room, runtime, readings))
    )


def _calibration(room: Room, runtime: Runtime, readings: Readings) -> Calibration:
    """Made once for a state of ledger and data, and a day."""
    about = ("calibration", readings.store.held().generation, room.today)
    return kept(room.state, about, lambda: calibration(runtime, room.ledger))


def title_of(room: Room, review: Row) -> str:
    return f"{room.title('initiatives', review.text('initiative'))}: {review.text('gate')}"


def _sentences(agenda: tuple[Item, ...], past: tuple[ThenNow, ...]) -> tuple[str, str]:
    if not agenda and not past:
        return "Nothing was brought before the council yet.", "An owner opens the first review below."
    waiting = sum(i.kind == "review" for i in agenda)
    back = sum(i.kind in ("returned", "lapsed") for i in agenda)
    outdated = sum(p.outdated for p in past)
    first = f"{words.plural(len(agenda), 'item')} on the agenda: {words.plural(waiting, 'open review')}"
    first += f", {words.plural(back, 'decision')} back" if back else ""
    first += f", {words.plural(outdated, 'decision')} outdated" if outdated else ""
    detail = "Criteria are judged on confidence bounds of live numbers; only what is met passes, what is not measured does not."
    return f"{first}.", detail


def kept_words(found: Calibration) -> str:
    """Gate calibration as a sentence."""
    if found.value is None or found.low is None or found.high is None:
        return (
            f"Gate calibration: {found.reason}; {words.plural(found.waiting, 'younger Go')} will be judged."
        )
    lost = [c for c in found.cases if not c.held]
    share = f"{found.numerator} of {found.n} Go decisions still held 90 days later"
    interval = f"{found.value:.0%}, {found.low:.0%} to {found.high:.0%}"
    why = f" {lost[-1].decision} did not: {lost[-1].why}." if lost else ""
    return f"{share} ({interval}).{why}"


def plainly(keys: tuple[str, ...], why: str) -> str:
    """Criteria by the name of their term alone, where no other of the review's criteria has the same."""
    named = [key.partition(": ")[0] for key in keys]
    for key, name in zip(keys, named, strict=True):
        if named.count(name) == 1:
            why = why.replace(key, name)
    return why


def _plainly(review: Row, why: str) -> str:
    return plainly(tuple(c.key for c in terms.read(review.text("criteria"))), why)


def _reviews(room: Room, found: Sources) -> tuple[Item, ...]:
    items = []
    for review in found.look.rows("gate_reviews"):
        if decided.phase(found.look, review) is not decided.Phase.OPEN:
            continue
        got = sight(found, review)
        holds = "the gate holds" if got.standing.holds else f"the gate does not hold: {got.standing.why}"
        me = room.actor.identity if room.actor else ""
        seat = panel.seat_of(found.look, review, me) if me else ""
        mine = bool(seat) and not panel.why_not_vote(found.look, review, me, seat)
        cast = f"{got.ballot.counted.present} of {got.ballot.counted.quorum} votes for the quorum"
        text = f"{cast}; {_plainly(review, holds)}"
        point = f"review {review.record_id}"
        items.append(
            Item("review", review.record_id, title_of(room, review), words.sentence(text), mine, point)
        )
    return tuple(items)


def _decisions(room: Room, past: tuple[ThenNow, ...]) -> tuple[Item, ...]:
    """Decisions that are back: a condition failed, not ratified, a kill criterion proven, or the evidence outdated."""
    items = []
    for one in past:
        events = [e for e in room.rows("gate_events") if e["decision"] == one.decision.record_id]
        again = decided.open_review(
            Look(room.now, room.shelf), one.review.text("initiative"), one.review.text("gate")
        )
        on = "; it is being looked at again" if again is not None else ""
        title, number = title_of(room, one.review), one.decision.record_id
        if one.stands in (decided.Stands.RETURNED, decided.Stands.LAPSED) and events:
            items.append(_back(one.stands.value, number, title, events[-1].text("why") + on))
        elif one.killed:
            text = f"the kill criterion {', '.join(one.killed)} is proven{on}"
            items.append(_back("kill", number, title, text))
        elif one.outdated and one.decision["outcome"] in decided.GO:
            moved = "; ".join(f"{c.key}: {c.why}" for c in one.changes if c.material)
            items.append(_back("outdated", number, title, _plainly(one.review, moved) + on))
    return tuple(items)


def _back(kind: str, number: str, title: str, why: str) -> Item:
    """A decision that is on the agenda again."""
    return Item(kind, number, title, words.sentence(why), mine=False, point=f"{kind} {number}")


def _acceptances(room: Room) -> tuple[Item, ...]:
    items = []
    for register in ("acceptances", "exceptions"):
        for row in room.live(register):
            until = row["expires"]
            if row.state == "accepted" and isinstance(until, dt.date) and until - room.today <= SOON:
                point = f"{register.removesuffix('s')} {row.record_id}"
                text = words.sentence(f"{point} ends on {words.date(until)}")
                title = room.title(register, row.record_id)
                items.append(Item("expiring", "", title, text, mine=False, point=point))
    return tuple(items)


def _decided(room: Room, one: ThenNow) -> Decided:
    today = "would pass" if one.passes else f"would not pass: {_plainly(one.review, one.standing.why)}"
    return Decided(
        one.decision.record_id, title_of(room, one.review), one.decision.text("outcome"), words.date(one.decision.at.date()),
        one.stands.value, today, one.outdated, one.then.sha256,
    )  # fmt: skip
