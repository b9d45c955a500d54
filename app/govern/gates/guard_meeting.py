"""What must hold for a meeting: one at a time, an agenda of records that exist, everybody for themselves, true minutes."""

from __future__ import annotations

from app.govern.gates import meeting as meetings
from app.govern.gates import minutes
from app.govern.gates.attempt import Attempt, demand, invalid
from app.govern.model import Denied, Row


def open_(a: Attempt) -> None:
    """A meeting: none is on, and every item of its agenda is there."""
    on = meetings.on_now(a.look)
    if on is not None:
        raise Denied(f"{on.record_id} is on; write its minutes before another meeting is opened")
    texts = a.words("agenda")
    demand(len(texts) <= meetings.MOST, "agenda", f"{len(texts)} items; one meeting takes {meetings.MOST}")
    for text in texts:
        found = meetings.point(text)
        known = found is not None and a.look.find(found.register, found.record) is not None
        kinds = ", ".join(meetings.KINDS)
        demand(
            known, "agenda", f"{text!r}: write a kind ({kinds}) and the identifier of a record that is there"
        )


def enter(a: Attempt) -> None:
    """Somebody comes in: themselves, into the meeting that is on."""
    meeting = _on(a)
    demand(a.text("person") == a.actor.identity, "person", "everybody enters for themselves")
    wanted = meetings.attendance_id(meeting.record_id, a.actor.identity)
    demand(a.record_id == wanted, "record_id", "an attendance is called after its meeting and person")


def come_and_go(a: Attempt) -> None:
    """Leave and return: only one's own attendance, while the meeting is on."""
    _on(a)
    if a.text("person") != a.actor.identity:
        raise Denied("everybody enters and leaves for themselves")


def close(a: Attempt) -> None:
    """Minutes: by a member who is there, and what they tell is what the records tell."""
    meeting = _on(a)
    if a.actor.identity not in meetings.present(a.look, meeting):
        raise Denied("only a council member who is in the meeting closes it; enter it first")
    demand(a.record_id == meeting.record_id, "record_id", "minutes have the number of their meeting")
    told = minutes.closing(a.look, meeting, "")
    wanted = dict(told.values)
    same = a.text("record") == wanted["record"] and a.text("record_sha256") == wanted["record_sha256"]
    demand(same, "record", "something was written meanwhile; look at the meeting again, then close it")


def _on(a: Attempt) -> Row:
    """The meeting that the record is about, still on."""
    found = a.look.find("meetings", a.text("meeting"))
    if found is None:
        raise invalid("meeting", f"there is no meeting {a.text('meeting')!r}")
    if a.look.find("minutes", found.record_id) is not None:
        raise Denied(f"{found.record_id} is closed; nothing is added to it any more")
    return found
