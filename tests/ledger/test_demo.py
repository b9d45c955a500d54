"""The demo's ledger: complete, repeatable, sound, and only in the demo."""

import datetime as dt
from pathlib import Path

import pytest

from app.govern import books, demo, rows
from app.govern.lint import lint
from app.govern.open import open_ledger
from app.govern.verify import verify
from app.settings import Settings
from data.demo import INITIATIVES, demo_targets
from data.registers import REGISTERS
from tests.ledger.homes import NOW


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, no_waiting_for_the_disk: None) -> Settings:
    home: Path = tmp_path_factory.mktemp("demo")
    (home / "targets.toml").write_text(demo_targets())
    demo.fill(Settings(home=home), NOW)
    return Settings(home=home)


def ledger_of(settings: Settings):
    return open_ledger(settings, lambda: NOW)


def test_every_register_holds_something_and_every_initiative_is_there(settings):
    with ledger_of(settings).store.read() as db:
        held = {name: rows.rows(db, name) for name in REGISTERS}
    empty = [name for name, found in held.items() if not found]
    assert empty == ["publications"]  # made by `publish`, from numbers that a refresh has yet to compute
    assert {r.record_id for r in held["initiatives"]} == {i.slug for i in INITIATIVES}
    assert {r.record_id for r in held["initiatives"]} - {r.record_id for r in held["ownership"]} == {
        "pricing-pilot"
    }


def test_filling_twice_writes_once(settings):
    again = demo.fill(settings, NOW + dt.timedelta(days=3))
    assert again.new == 0
    assert again.seconds < 15


def test_what_a_stopped_fill_began_is_finished_by_the_next(settings, tmp_path, monkeypatch):
    half = Settings(home=tmp_path)
    (tmp_path / "targets.toml").write_text(demo_targets())
    whole = demo.diary
    monkeypatch.setattr(demo, "diary", lambda targets: whole(targets)[:50])
    assert demo.fill(half, NOW).new >= 50
    monkeypatch.undo()
    done = demo.fill(half, NOW)
    assert 0 < done.new < done.acts


def test_the_ledger_of_the_demo_verifies_and_its_times_only_rise(settings):
    done = verify(ledger_of(settings).store, deep=True)
    assert done.state == "intact"
    from data.ledger import AUDIT

    with ledger_of(settings).store.read() as db:
        times = [e.at for e in db.execute(AUDIT.select().order_by(AUDIT.c.seq))]
    assert times == sorted(times)


def test_the_demo_shows_what_the_lint_rules_are_for(settings):
    found = {note.rule for note in lint(books.book(ledger_of(settings)), NOW.date())}
    wanted = {
        "orphan",
        "no owner",
        "review overdue",
        "expired acceptance relied on",
        "residual above inherent",
    }
    assert wanted <= found


def test_a_demo_is_never_written_into_production(tmp_path):
    with pytest.raises(demo.DemoError, match="demo mode"):
        demo.fill(Settings(home=tmp_path, mode="production"), NOW)
    assert not list(tmp_path.iterdir())
