"""What a meeting's page asks for, as commands: open it, enter and leave it, close it with its minutes."""

from __future__ import annotations

from collections.abc import Callable

from app.govern.commands import find, values_of
from app.govern.gates import meeting as meetings
from app.govern.gates import minutes
from app.govern.gates.look import Look, look
from app.govern.model import Actor, Add, Command, CommandError, Row
from app.govern.views import Room
from app.govern.views_council import carry
from app.govern.views_forms import Said
from data.audit import sha256


def open_(room: Room, title: str, agenda: tuple[str, ...], key: str) -> Said:
    """Open a meeting with what is due."""
    values = values_of(title=title.strip(), agenda=agenda)
    return carry(room, lambda _: Add("meetings", values), key)


def enter(room: Room) -> Said:
    """The reader comes in, or comes back."""
    return _move(room, meetings.entering, "you are in the meeting already")


def leave(room: Room) -> Said:
    return _move(room, meetings.leaving, "you are not in the meeting")


def _move(room: Room, move: Callable[[Look, Row, Actor], Command | None], nothing: str) -> Said:
    """One's own coming and going. Its key is made of what it is about, so a second click writes nothing."""
    now = look(room.ledger)
    meeting = meetings.on_now(now)
    if meeting is None or room.actor is None:
        return Said("No meeting is on.")
    command = move(now, meeting, room.actor)
    if command is None:
        return Said(f"Nothing was saved: {nothing}.")
    key = f"{command.verb}/{command.record_id}/{command.seen}"
    return carry(room, lambda _: command, key if len(key) <= 200 else sha256(key))


def close(room: Room, number: str, remarks: str, key: str) -> Said:
    """Close a meeting with its minutes, told from the records of this moment."""
    done = find(room.ledger, key)
    if done is not None:  # a second click: by now the meeting is closed
        return Said("", done)

    def told(_: Actor) -> Add:
        now = look(room.ledger)
        meeting = now.find("meetings", number)
        if meeting is None:
            raise CommandError(f"there is no meeting {number}")
        return minutes.closing(now, meeting, remarks)

    return carry(room, told, key)
