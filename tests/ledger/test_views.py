"""What a look at the ledger holds, and that nobody finds in it what only others may see."""

from __future__ import annotations

from app.govern.views import listing, open_room
from tests.ledger.homes import RISK, Desk, fresh, who


def desk_with_a_risk(path: object) -> Desk:
    desk = fresh(path).people()  # type: ignore[arg-type]
    desk.initiative()
    desk.add("risks", **RISK)
    return desk


def test_rows_are_found_by_what_they_refer_to(tmp_path):
    desk = desk_with_a_risk(tmp_path / "ledger.sqlite")
    room = open_room(desk.ledger, who("carl"))
    (risk,) = room.live_of("risks", "initiative", "churn")
    assert risk == room.live("risks")[0]
    assert room.live_of("risks", "initiative", "another") == ()


def test_who_has_no_role_finds_nothing_that_others_looks_have_kept(tmp_path):
    desk = desk_with_a_risk(tmp_path / "ledger.sqlite")
    council = open_room(desk.ledger, who("carl"))
    assert listing(council, "risks").ids
    assert council.live("risks")
    assert council.live_of("risks", "initiative", "churn")
    stranger = open_room(desk.ledger, who("stranger"))
    assert listing(stranger, "risks").ids == ()
    assert stranger.live("risks") == ()
    assert stranger.live_of("risks", "initiative", "churn") == ()


def test_a_kept_look_ends_with_the_next_entry(tmp_path):
    desk = desk_with_a_risk(tmp_path / "ledger.sqlite")
    before = open_room(desk.ledger, who("carl"))
    assert len(before.live("risks")) == 1
    desk.add("risks", **RISK | {"title": "Another"})
    after = open_room(desk.ledger, who("carl"))
    assert len(after.live_of("risks", "initiative", "churn")) == 2
    assert len(before.live("risks")) == 1
