"""The meeting's page: what is due before one is opened, one item at a time while it is on, and the minutes of past ones."""

from __future__ import annotations

from dataclasses import dataclass

from app.govern.gates import meeting as meetings
from app.govern.gates.look import Look
from app.govern.gates.meeting import Point
from app.govern.minutes_text import markdown
from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_gates import Item, title_of
from app.measure import words


@dataclass(frozen=True)
class Slide:
    """One item as the projector shows it. `review`: whose evidence and votes stand below; empty for other items."""

    point: Point
    title: str
    why: str

    @property
    def review(self) -> str:
        return self.point.review


@dataclass(frozen=True)
class Hall:
    """The meeting that is on. `slides` never change their order while it lasts."""

    number: str
    title: str
    opened: str
    slides: tuple[Slide, ...]


@dataclass(frozen=True)
class Presence:
    """Who is there. `members`: those of the item's seats whose holder is there; `why_not_close`: empty for who may."""

    here: tuple[str, ...]
    inside: bool
    members: int
    seats: int
    quorum: int
    why_not_close: str

    @property
    def text(self) -> str:
        there = words.listed(self.here, 12) or "nobody yet"
        return f"In the meeting: {there}"


@dataclass(frozen=True)
class Past:
    """A meeting that has its minutes; `text` is what is taken away."""

    number: str
    title: str
    closed: str
    decisions: int
    sha256: str
    text: str


def look_of(room: Room) -> Look:
    return Look(room.now, room.shelf)


def hall(room: Room, due: tuple[Item, ...]) -> Hall | None:
    """The meeting that is on, its items said as they are today; None where none is."""
    meeting = meetings.on_now(look_of(room))
    if meeting is None:
        return None
    said = {item.point: item for item in due}
    slides = tuple(_slide(room, p, said.get(p.text)) for p in meetings.points(meeting))
    by = f"opened by {room.name(meeting.by.identity)}, {words.moment(meeting.at)}"
    return Hall(meeting.record_id, meeting.text("title"), by, slides)


def _slide(room: Room, point: Point, item: Item | None) -> Slide:
    if item is not None:
        return Slide(point, item.title, item.text)
    row = room.shelf[point.register].get(point.record)
    review = room.shelf["gate_reviews"].get(point.review)
    title = title_of(room, review) if review is not None else room.title(point.register, point.record)
    state = "not in the ledger" if row is None else row.state
    seen_to = "It has been seen to: " if point.register != "gate_reviews" else "It is decided or withdrawn: "
    return Slide(point, title, words.sentence(f"{seen_to}{point.record} is {state}"))


def agenda_of(due: tuple[Item, ...]) -> tuple[str, ...]:
    """What is due, as a meeting's agenda keeps it, in the order in which the council's page lists it."""
    return tuple(dict.fromkeys(item.point for item in due if item.point))[: meetings.MOST]


def presence(room: Room, review: str) -> Presence | None:
    """Who is in the meeting, and how that stands to the quorum of one review; None where no meeting is on."""
    look = look_of(room)
    meeting = meetings.on_now(look)
    if meeting is None:
        return None
    here = meetings.present(look, meeting)
    me = room.actor.identity if room.actor else ""
    row = look.find("gate_reviews", review)
    seats = row.words("members") if row is not None else tuple(look.council)
    quorum = int(row.text("quorum")) if row is not None else 0
    why = (
        ""
        if "council" in room.roles and me in here
        else "only a council member who is in the meeting closes it"
    )
    return Presence(
        tuple(room.name(i) for i in here), me in here, len(set(here) & set(seats)), len(seats), quorum, why
    )


def past(room: Room) -> tuple[Past, ...]:
    """Meetings that are over, newest first."""
    look = look_of(room)
    found = sorted(look.rows("minutes"), key=lambda m: -m.seq)
    return tuple(_past(room, m) for m in found)


def _past(room: Room, minutes: Row) -> Past:
    meeting = room.shelf["meetings"][minutes.text("meeting")]
    taken = [
        d
        for d in room.rows("gate_decisions")
        if meeting.seq < d.seq < minutes.seq and d.record_id in minutes.text("record")
    ]
    return Past(
        minutes.record_id, meeting.text("title"), words.moment(minutes.at), len(taken), minutes.text("record_sha256"),
        markdown(minutes, room.name),
    )  # fmt: skip
