"""Meetings of the council: what was due when one was opened, who was there, and its minutes, which close it."""

from __future__ import annotations

from data.fields import LOG, Field, Flow, Kind, Move, Register, long, person, ref, text, words

MEETINGS = Register(
    "meetings",
    "Council meetings",
    "meeting",
    "A sitting of the council. Its agenda is what was due when it was opened; its minutes close it.",
    (
        text("title", "Title", required=True),
        words("agenda", "Agenda", "Kind and record of each item, such as `review GATE-0006`, in the order of the meeting."),
    ),
    prefix="MEET",
    flow=LOG,
)  # fmt: skip

ATTENDANCES = Register(
    "attendances",
    "Attendances",
    "attendance",
    "One person in one meeting. Everybody enters and leaves for themselves.",
    (
        ref("meeting", "Meeting", "meetings", required=True),
        person("person", "Person", "Who is there; nobody is entered by somebody else.", required=True, owns=True),
    ),
    flow=Flow(
        "present",
        (Move("leave", ("present",), "left"), Move("return", ("left",), "present")),
        live=("present",),
    ),
    label="person",
)  # fmt: skip

MINUTES = Register(
    "minutes",
    "Minutes",
    "minutes",
    "What was voted and decided in a meeting, told from the records themselves. One for each, under its number.",
    (
        ref("meeting", "Meeting", "meetings", required=True),
        long("remarks", "Remarks", "What the records do not say."),
        long("record", "Record", "Everything that was written in the meeting, as JSON.", required=True),
        Field("record_sha256", "SHA-256 of the record", Kind.SHA256, "Of the canonical text before it.", required=True),
    ),
    flow=LOG,
    label="meeting",
)  # fmt: skip

MEETING = frozenset(r.name for r in (MEETINGS, ATTENDANCES, MINUTES))
