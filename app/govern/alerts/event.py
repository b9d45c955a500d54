"""An event to be told: its key, its words, whom it concerns; and which reminder of a day is reached."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.model import Row
from app.govern.views import Room
from data.audit import sha256
from data.registers import REGISTERS

LONGEST_SUBJECT, LONGEST_EVENT = 160, 300


@dataclass(frozen=True)
class Event:
    """Something to be told once. `key` never changes; `people`: identities of active users, never empty while there are any."""

    key: str
    kind: str
    register: str
    record_id: str
    title: str
    text: str
    people: tuple[str, ...]
    due: dt.date | None = None

    @property
    def subject(self) -> str:
        """One line, without the line breaks that would end a header."""
        line = " ".join(f"{self.kind}: {self.title} ({self.record_id})".split())
        return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 3] + "..."


def stage(day: dt.date, today: dt.date, ahead: tuple[int, ...]) -> str:
    """The nearest reminder that is reached: overdue, or so many days before; empty where it is too early."""
    if day < today:
        return "overdue"
    reached = [days for days in sorted(ahead) if day - today <= dt.timedelta(days=days)]
    return f"{reached[0]} days before" if reached else ""


def made(
    room: Room, kind: str, register: str, row: Row, key: str, text: str, people: tuple[str, ...],
    due: dt.date | None = None, title: str = "",
) -> Event:  # fmt: skip
    """An event about a record. Where nobody who is named can be told, the council is."""
    users = room.shelf.get("users", {})
    there = tuple(dict.fromkeys(p for p in people if p in users and users[p].state == "active"))
    orphan = "" if there else " Nobody in the register of users is named for it, so the council is told."
    told = there or council_of(room)
    noun = REGISTERS[register].noun
    title = title or room.title(register, row.record_id)
    said = f"{noun.capitalize()} {row.record_id}, {title}: {text.rstrip('.')}.{orphan}"
    return Event(_short(key), kind, register, row.record_id, title, said, told, due)


def _short(key: str) -> str:
    """A key that fits its column and is still the only one of its kind."""
    return key if len(key) <= LONGEST_EVENT else f"{key[:200]}/{sha256(key)}"


def council_of(room: Room) -> tuple[str, ...]:
    """Identities of the active members of the council."""
    return tuple(u.record_id for u in room.live("users") if "council" in u.words("roles"))
