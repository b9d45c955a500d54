"""Meetings: one at a time, everybody for themselves, and minutes that say what the records say and nothing else."""

from __future__ import annotations

import json

import pytest

from app.govern.gates import meeting, minutes
from app.govern.gates.look import look
from app.govern.minutes_text import markdown, plain
from app.govern.model import Add, Denied, Invalid, Receipt, Step
from data.audit import sha256
from tests.ledger.councils import COUNCIL, Chamber, chamber, good_numbers
from tests.ledger.homes import Desk, user, who


@pytest.fixture
def room(desk: Desk) -> Chamber:
    """A council with an open review, on each database."""
    found = chamber(desk)
    found.numbers = good_numbers(desk)
    found.open()
    return found


def open_(room: Chamber, *agenda: str, name: str = "carl") -> Receipt:
    return room.desk.add("meetings", name, title="November", agenda=agenda or ("review GATE-0001",))


def enter(room: Chamber, name: str) -> Receipt:
    held = look(room.desk.ledger)
    on = meeting.on_now(held)
    assert on is not None
    command = meeting.entering(held, on, who(name))
    assert command is not None
    return room.desk.do(command, name)


def closing(room: Chamber, number: str = "MEET-0001", remarks: str = "") -> Add:
    held = look(room.desk.ledger)
    return minutes.closing(held, held.held["meetings"][number], remarks)


def test_one_meeting_is_on_at_a_time_and_the_next_follows_the_minutes(room: Chamber):
    assert open_(room).record_id == "MEET-0001"
    with pytest.raises(Denied, match="MEET-0001 is on"):
        open_(room)
    enter(room, "carl")
    room.desk.do(closing(room), "carl")
    assert meeting.on_now(look(room.desk.ledger)) is None
    assert open_(room).record_id == "MEET-0002"


@pytest.mark.parametrize("text", ["review GATE-0009", "lunch GATE-0001", "review", "lapsed GATE-0001"])
def test_an_agenda_names_records_that_are_there(room: Chamber, text: str):
    with pytest.raises(Invalid, match="agenda"):
        open_(room, text)


def test_everybody_comes_and_goes_for_themselves(room: Chamber):
    open_(room)
    mine = enter(room, "carl")
    with pytest.raises(Invalid, match="everybody enters for themselves"):
        room.desk.add(
            "attendances", "cleo", record_id="MEET-0001 demo|cora", meeting="MEET-0001", person=user("cora")
        )
    with pytest.raises(Denied):
        room.desk.step("leave", mine, "cleo")
    gone = room.desk.step("leave", mine, "carl")
    held = look(room.desk.ledger)
    on = meeting.on_now(held)
    assert on is not None
    assert meeting.present(held, on) == ()
    assert isinstance(meeting.entering(held, on, who("carl")), Step)
    room.desk.step("return", gone, "carl")
    now = look(room.desk.ledger)
    assert meeting.present(now, on) == (user("carl"),)
    assert meeting.entering(now, on, who("carl")) is None


def test_minutes_tell_votes_conditions_and_the_decision_of_the_meeting(room: Chamber):
    room.vote("GATE-0001", "cleo", "approve")
    open_(room)
    enter(room, "carl")
    enter(room, "cora")
    room.votes("GATE-0001", "carl", "cora")
    room.decide("GATE-0001")
    kept = room.desk.do(closing(room, remarks="Well *done*"), "carl")
    row = room.row("minutes", kept.record_id)
    held = json.loads(row.text("record"))
    (item,) = held["items"]
    assert [(v["seat"], v["in the meeting"]) for v in item["votes"]] == [
        (user("cleo"), False), (user("carl"), True), (user("cora"), True),
    ]  # fmt: skip
    assert item["decision"]["outcome"] == "go"
    assert item["decision"]["basis_sha256"] == room.row("gate_decisions", "GATE-0001").text("basis_sha256")
    assert [a["person"] for a in held["attendance"]] == [user("carl"), user("cora")]
    text = markdown(row, lambda i: i.rpartition("|")[2].title())
    assert "- Cleo: approve, before the meeting: because" in text
    assert "Decided: **go**, recorded by Carl" in text
    assert "Well \\*done\\*" in text
    assert row.text("record_sha256") in text


def test_a_review_that_was_voted_on_without_being_on_the_agenda_is_told_last(room: Chamber):
    open_(room, name="cleo")
    other = room.open(gate="hypothesis").record_id
    enter(room, "carl")
    room.vote(other, "carl")
    held = json.loads(dict(closing(room).values)["record"])  # type: ignore[arg-type]
    assert [(i["record"], i["on the agenda"]) for i in held["items"]] == [("GATE-0001", True), (other, False)]


def test_minutes_that_say_anything_else_are_refused(room: Chamber):
    open_(room)
    enter(room, "carl")
    told = dict(closing(room).values)
    for bent in (str(told["record"]).replace("November", "December"), "{}"):
        with pytest.raises(Invalid, match="something was written meanwhile"):
            room.desk.add(
                "minutes",
                "carl",
                record_id="MEET-0001",
                **{**told, "record": bent, "record_sha256": sha256(bent)},
            )
    before = closing(room)
    room.vote("GATE-0001", "cora")
    with pytest.raises(Invalid, match="something was written meanwhile"):
        room.desk.do(before, "carl")  # the vote is not in them


def test_only_a_member_who_is_there_closes_and_then_nothing_more_is_added(room: Chamber):
    open_(room)
    mine = enter(room, "carl")
    enter(room, "omar")
    with pytest.raises(Denied, match="who is in the meeting"):
        room.desk.do(closing(room), "cleo")
    with pytest.raises(Denied):
        room.desk.do(closing(room), "omar")
    room.desk.do(closing(room), "carl")
    with pytest.raises(Denied, match="closed"):
        room.desk.step("leave", mine, "carl")
    with pytest.raises(Denied, match="closed"):
        room.desk.add(
            "attendances", "cora", record_id="MEET-0001 demo|cora", meeting="MEET-0001", person=user("cora")
        )
    with pytest.raises(Denied):
        room.desk.do(closing(room), "carl")


def test_who_is_no_member_opens_no_meeting(room: Chamber):
    for name in ("vera", "anna", "omar", "adam"):
        with pytest.raises(Denied):
            open_(room, name=name)
    with pytest.raises(Denied):
        room.desk.add(
            "attendances", "vera", record_id="MEET-0001 demo|vera", meeting="MEET-0001", person=user("vera")
        )
    assert set(COUNCIL) == {"carl", "cleo", "cora", "cyrus"}


def test_what_people_wrote_is_no_markup_in_the_minutes():
    assert plain("# a\n<b>*x*</b>|y") == "\\# a \\<b\\>\\*x\\*\\</b\\>\\|y"
