"""What is due or went wrong, told from the registers and live Readings. Nothing here writes or sends.

An event has one key for ever: a day that passed while nobody looked is still told, and told once. Dates are compared with
"on or before", never with "equals"; of several reminders the nearest one that is reached is told, not those before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from app.govern import lint
from app.govern.alerts.council import council_events
from app.govern.alerts.event import Event, council_of, made, stage
from app.govern.books import bound_of
from app.govern.gates.watch import Watched
from app.govern.model import Actor, Row
from app.govern.views import Room
from app.measure import words
from data.ledger import TABLES
from data.ledger_types import words_text
from data.registers import REGISTERS
from metrics.core.verdict import State

RECENT = dt.timedelta(days=30)  # what ended longer ago than this is history, not news
AHEAD_OF_REVIEW, AHEAD_OF_END = (14,), (30, 7)
# Registers whose records have a day on which somebody must look at them: the day's field, and who is told.
REVIEWED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ownership", "next_review", ("accountable", "delegate")),
    ("risks", "next_review", ("owner",)),
    ("controls", "next_review", ("owner",)),
    ("postures", "next_review", ("declared_by",)),
    ("operability", "next_review", ("owner",)),
    ("appetites", "next_review", ()),
    ("evidence", "expires", ("owner",)),
)


@dataclass(frozen=True)
class Breach:
    """A risk's indicator against its bound. `base` names it without the episode."""

    row: Row
    base: str
    state: State | None
    text: str


def events(room: Room, watched: tuple[Watched, ...]) -> tuple[Event, ...]:
    """Everything to be told now, oldest due day first. `watched`: conditions of the council judged today."""
    found = (*_reviews(room), *_requests(room), *_indicators(room), *council_events(room, watched))
    unique = {e.key: e for e in found}
    return tuple(sorted(unique.values(), key=lambda e: (e.due or room.today, e.key)))


def _reviews(room: Room) -> Iterator[Event]:
    for register, name, who in REVIEWED:
        for row in room.live(register):
            day = row[name]
            if not isinstance(day, dt.date):
                continue
            at = stage(day, room.today, AHEAD_OF_REVIEW)
            if at:
                what = "expiry" if name == "expires" else "review"
                said = "was due" if at == "overdue" else "is due"
                text = f"its {what} {said} on {words.date(day)}; renew it and set the next day"
                key = f"review due/{register}/{row.record_id}/{day}/{at}"
                yield made(room, "review due", register, row, key, text, _named(row, who), day)


def _requests(room: Room) -> Iterator[Event]:
    """Acceptances and exceptions: handed in and undecided, coming to their end, ended."""
    ended = {row.record_id: why for row, why in lint.lapsed(_requests_book(room), room.today)}
    for register in ("acceptances", "exceptions"):
        authors = _authors(room, register)
        for row in room.rows(register):
            people = (authors[row.record_id], *_risk_owner(room, row))
            over = row.record_id in ended or (row.state == "expired" and room.now - row.at <= RECENT)
            if over:
                why = ended.get(row.record_id) or row.reason
                text = f"it has lapsed ({why}); treat what it covered, or hand in a new one"
                yield made(room, "lapsed", register, row, f"lapsed/{register}/{row.record_id}", text, people)
            elif row.state == "accepted":
                yield from _ending(room, register, row, people)
            elif row.state == "submitted":
                apart = tuple(p for p in council_of(room) if p not in people)
                text = f"{REGISTERS[register].noun} handed in by {room.name(row.by.identity)} waits for a decision"
                key = f"request waits/{register}/{row.record_id}/{row.version}"
                yield made(room, "request waits", register, row, key, text, apart)
    yield from _baselines(room)


def _ending(room: Room, register: str, row: Row, people: tuple[str, ...]) -> Iterator[Event]:
    day = row["expires"]
    at = stage(day, room.today, AHEAD_OF_END) if isinstance(day, dt.date) else ""
    if at and isinstance(day, dt.date):
        text = f"it ends on {words.date(day)}; from then on nobody may rely on it"
        key = f"acceptance ends/{register}/{row.record_id}/{day}/{at}"
        yield made(room, "acceptance ends", register, row, key, text, people, day)


def _baselines(room: Room) -> Iterator[Event]:
    for row in room.rows("baselines"):
        if row.state == "submitted":
            text = f"baseline handed in by {room.name(row.by.identity)} waits for a second person"
            apart = tuple(p for p in council_of(room) if p != row.by.identity)
            key = f"request waits/baselines/{row.record_id}/{row.version}"
            yield made(room, "request waits", "baselines", row, key, text, apart)


def _requests_book(room: Room) -> lint.Book:
    return lint.Book(
        acceptances=room.rows("acceptances"), exceptions=room.rows("exceptions"), breached=room.seen.breached
    )


def _authors(room: Room, register: str) -> dict[str, str]:
    """Who asked: the author of each record's first version; later ones are written by those who decide and by the app."""
    table = TABLES[register]
    query = sa.select(table.c.record_id, table.c.by_issuer, table.c.by_subject).where(table.c.version == 1)
    with room.ledger.store.read() as db:
        return {record: Actor(issuer, subject).identity for record, issuer, subject in db.execute(query)}


def _risk_owner(room: Room, row: Row) -> tuple[str, ...]:
    risk = room.shelf.get("risks", {}).get(str(row.values.get("risk") or ""))
    return _named(risk, ("owner",)) if risk else ()


def breaches(room: Room) -> tuple[Breach, ...]:
    """Every live risk with an indicator, and what its Reading says."""
    told = {tuple(bound[:4]): bound[4] for bound in room.seen.bounds}
    found = []
    for row in room.live("risks"):
        target = bound_of(row, "indicator")
        if target is None:
            continue
        scope = row["indicator_scope"]
        text = words_text(scope) if isinstance(scope, tuple) else ""
        bound = (target.metric, target.comparator.value, target.threshold, text)
        said = told.get(bound)
        base = f"indicator in breach/risks/{row.record_id}/{target.metric}/{target.comparator.value}/{target.threshold:g}"
        want = f"{target.metric} is not {target.comparator.value} {target.threshold:g}"
        found.append(Breach(row, base, State(said) if said else None, want))
    return tuple(found)


def _indicators(room: Room) -> Iterator[Event]:
    for one in breaches(room):
        if one.state is State.NOT_MET:
            text = f"its indicator is in breach: {one.text}; look at the rating and the treatment"
            key = f"{one.base}/{episode(room, one.base)}"
            yield made(room, "indicator in breach", "risks", one.row, key, text, _named(one.row, ("owner",)))


def episode(room: Room, base: str) -> int:
    """Which breach of a bound this is: the one that is open, or one more than those that were closed."""
    told = [r for r in room.rows("alerts") if r.text("event").rpartition("/")[0] == base]
    numbers = [int(r.text("event").rpartition("/")[2]) for r in told]
    opened = [n for n, r in zip(numbers, told, strict=True) if r.state != "closed"]
    return max(opened) if opened else max(numbers, default=0) + 1


def _named(row: Row, fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(t for f in fields if (t := row.text(f)))
