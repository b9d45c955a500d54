"""What is kept of a ledger in memory is what the ledger says, also after writes, refusals and a copy put in its place."""

import random
import shutil

import pytest
import sqlalchemy as sa

from app.govern import shelf as shelves
from app.govern.model import CommandError
from app.govern.shelf import Shelf, shelf_of
from tests.ledger.homes import RISK, Desk


def seen(desk: Desk) -> Shelf:
    with desk.ledger.store.read() as db:
        return shelf_of(desk.ledger, db)


def anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    with monkeypatch.context() as patch:
        patch.setattr(shelves, "_LAST", {})
        return seen(desk)


def test_after_any_run_of_writes_the_kept_rows_are_the_rows_read_anew(desk, monkeypatch):
    chance = random.Random(4)
    desk.initiative()
    held = [desk.add("risks", **RISK)]
    for turn in range(25):
        at = chance.randrange(len(held))
        match chance.choice(("add", "change", "retire", "refused")):
            case "add":
                held.append(desk.add("risks", **RISK))
            case "change":
                held[at] = desk.change(held[at], title=f"risk {turn}")
            case "retire" if len(held) > 1:
                desk.step("retire", held.pop(at), "carl")
            case _:
                with pytest.raises(CommandError):
                    desk.add("risks", "vera", **RISK)
        assert seen(desk) == anew(desk, monkeypatch)
        assert list(seen(desk)["risks"]) == sorted(seen(desk)["risks"])


def test_a_write_reads_the_changed_record_and_no_register(lite):
    lite.initiative()
    held = [lite.add("risks", **RISK) for _ in range(3)]
    before = seen(lite)
    asked: list[str] = []
    lite.change(held[1], title="another")
    sa.event.listen(lite.ledger.store._engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    after = seen(lite)
    assert (
        len([s for s in asked if "FROM" in s]) == 4
    )  # the newest entry, that of before, what changed, the record
    assert after["risks"][held[1].record_id].text("title") == "another"
    assert after["initiatives"] is before["initiatives"]


def test_a_copy_put_in_the_ledgers_place_is_read_anew(lite, tmp_path):
    path = tmp_path / "ledger.sqlite"
    lite.initiative()
    shutil.copy(path, tmp_path / "copy.sqlite")
    lite.add("risks", **RISK)
    assert len(seen(lite)["risks"]) == 1
    lite.ledger.store.close()
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.sqlite", path)
    assert seen(lite)["risks"] == {}
    assert list(seen(lite)["initiatives"]) == ["churn"]


def test_many_changes_are_read_as_a_whole(lite, monkeypatch):
    lite.initiative()
    seen(lite)
    monkeypatch.setattr(shelves, "MOST_CHANGES", 2)
    held = [lite.add("risks", **RISK).record_id for _ in range(4)]
    assert list(seen(lite)["risks"]) == held
