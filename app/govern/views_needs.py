"""What needs somebody first: lint findings, requests that wait, drafts left lying, reviews due. The reader's own come first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from app.govern import rows
from app.govern.kept import kept
from app.govern.lint import Book, lint
from app.govern.views import Room
from app.measure import words
from data.registers import REGISTERS

# The order in which things matter; what is not named here comes last.
_ORDER = (
    "orphan", "expired acceptance relied on", "accepted without acceptance", "no expiry", "no owner",
    "waits for a decision",
)  # fmt: skip


@dataclass(frozen=True)
class Need:
    """One thing to do: about which record, what, and whether it is the reader's own."""

    rule: str
    register: str
    record_id: str
    title: str
    text: str
    mine: bool


def needs(room: Room, *registers: str) -> tuple[Need, ...]:
    """What needs somebody in these registers, the reader's own first, then by weight."""
    if not room.roles:
        return ()
    asked = ("needs", room.actor, room.roles, room.today, room.seen, registers)
    return kept(room.state, asked, lambda: _needs(room, registers))


def _needs(room: Room, registers: tuple[str, ...]) -> tuple[Need, ...]:
    found = [*_linted(room, registers), *_waiting(room), *_reviews(room)]
    chosen = [n for n in found if n.register in registers]
    return tuple(sorted(chosen, key=_weight))


def _weight(need: Need) -> tuple[bool, int]:
    return not need.mine, _ORDER.index(need.rule) if need.rule in _ORDER else len(_ORDER)


def _need(room: Room, rule: str, register: str, record_id: str, text: str, *, mine: bool = False) -> Need:
    row = room.shelf[register].get(record_id)
    own = mine or (row is not None and room.mine(register, row))
    return Need(rule, register, record_id, room.title(register, record_id), words.sentence(text), own)


def _linted(room: Room, registers: tuple[str, ...]) -> Iterator[Need]:
    for note in (n for n in lint(_book(room), room.today) if n.register in registers):
        yield _need(room, note.rule, note.register, note.record_id, note.text)


def _book(room: Room) -> Book:
    """What the lint rules read, from the rows the room already holds."""
    with room.ledger.store.read() as db:
        past = rows.histories(db, "risks")
    return Book(
        room.rows("initiatives"), room.rows("ownership"), room.rows("risks"), room.rows("controls"),
        room.rows("acceptances"), room.rows("exceptions"), past, room.seen.worse, room.seen.breached,
    )  # fmt: skip


def _waiting(room: Room) -> Iterator[Need]:
    """Requests that somebody must decide, and drafts that nobody handed in."""
    decides = "council" in room.roles
    for register in ("acceptances", "exceptions"):
        for row in room.rows(register):
            who = room.name(row.by.identity)
            if row.state == "submitted":
                text = f"{REGISTERS[register].noun} handed in by {who} waits for a decision"
                yield _need(room, "waits for a decision", register, row.record_id, text, mine=decides)
            elif row.state == "draft" and row.by == room.actor:
                yield _need(
                    room, "draft", register, row.record_id, "your draft is not handed in yet", mine=True
                )


def _reviews(room: Room) -> Iterator[Need]:
    """Reviews that are overdue in registers the lint rules do not read, and evidence that has expired."""
    for register, name in (
        ("postures", "next_review"),
        ("operability", "next_review"),
        ("appetites", "next_review"),
        ("evidence", "expires"),
    ):
        for row in room.live(register):
            day = row[name]
            if isinstance(day, dt.date) and day < room.today:
                what = "it expired" if name == "expires" else "its review was due"
                yield _need(
                    room, "review overdue", register, row.record_id, f"{what} on {words.date(day)}; renew it"
                )
