"""Meetings of the council, told from the records: the one that is on, who is there, and what its agenda names."""

from __future__ import annotations

from dataclasses import dataclass

from app.govern.gates.look import Look
from app.govern.model import Actor, Add, Command, Row, Step

# What may be on an agenda, and in which register the item's record is kept.
KINDS = {
    "review": "gate_reviews",
    "returned": "gate_decisions",
    "lapsed": "gate_decisions",
    "kill": "gate_decisions",
    "outdated": "gate_decisions",
    "acceptance": "acceptances",
    "exception": "exceptions",
}
REVIEWED = (
    "gate_reviews",
    "gate_decisions",
)  # items that have a page of evidence; both have the review's number
MOST = 60  # items of one meeting


@dataclass(frozen=True)
class Point:
    """One item of an agenda: why it is there and the record that it is about."""

    kind: str
    record: str

    @property
    def register(self) -> str:
        return KINDS[self.kind]

    @property
    def review(self) -> str:
        """The number of its review; empty where it is about another register."""
        return self.record if self.register in REVIEWED else ""

    @property
    def text(self) -> str:
        """As the ledger keeps it."""
        return f"{self.kind} {self.record}"


def point(text: str) -> Point | None:
    """An item from the ledger's text; None for what is no item."""
    kind, _, record = text.partition(" ")
    return Point(kind, record) if kind in KINDS and record else None


def points(meeting: Row) -> tuple[Point, ...]:
    """The agenda in its order."""
    return tuple(p for text in meeting.words("agenda") if (p := point(text)) is not None)


def on_now(look: Look) -> Row | None:
    """The meeting that has no minutes yet; there is at most one."""
    return next((m for m in look.rows("meetings") if look.find("minutes", m.record_id) is None), None)


def attendance_id(meeting: str, identity: str) -> str:
    """The identifier of somebody's attendance: there is one for each meeting and person."""
    return f"{meeting} {identity}"


def attendance(look: Look, meeting: Row, identity: str) -> Row | None:
    return look.find("attendances", attendance_id(meeting.record_id, identity))


def present(look: Look, meeting: Row) -> tuple[str, ...]:
    """Identities of those who are there now, in the order in which they first came in."""
    there = [a for a in look.live("attendances") if a["meeting"] == meeting.record_id]
    return tuple(a.text("person") for a in sorted(there, key=lambda a: a.seq))


def entering(look: Look, meeting: Row, actor: Actor) -> Command | None:
    """The command by which somebody comes in, or comes back; None for who is there already."""
    held = attendance(look, meeting, actor.identity)
    if held is None:
        values = (("meeting", meeting.record_id), ("person", actor.identity))
        return Add("attendances", values, attendance_id(meeting.record_id, actor.identity))
    return Step("return", "attendances", held.record_id, held.version) if held.state == "left" else None


def leaving(look: Look, meeting: Row, actor: Actor) -> Command | None:
    """The command by which somebody goes; None for who is not there."""
    held = attendance(look, meeting, actor.identity)
    there = held is not None and held.state == "present"
    return Step("leave", "attendances", held.record_id, held.version) if held is not None and there else None
