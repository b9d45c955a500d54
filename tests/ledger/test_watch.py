"""Bounds in the ledger against live Readings: tripwires that end acceptances, indicators, model cards; evidence files."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import server
from app.__main__ import cli
from app.govern import books, rows
from app.govern.lint import lint
from app.govern.model import Row
from app.govern.model_card import HOLDS, OUT_OF_DATE, UNMEASURED, claims
from app.govern.views import Room, open_room
from app.govern.views_evidence import Upload, keep, kept_file, shown_name
from app.govern.views_needs import needs
from app.govern.watch import Watch, lowered_on, settle, worse
from app.measure.readings import Readings
from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings
from data.load.tables import load_tables
from metrics import ALL, ROLLUPS
from metrics.core.metric import Scope
from tests.ledger.homes import INITIATIVE, OWNERSHIP, RISK, Desk, copy_of, user, who
from tests.ledger.test_contracts import UNITS

TRIPWIRE = {"tripwire_metric": "value.units", "tripwire_comparator": "at most", "tripwire_threshold": 50.0}
CLERK = "anna"


@pytest.fixture
def home(template: Path, tmp_path: Path) -> tuple[Runtime, Desk]:
    """An experiment of 99 units, loaded just now, and a ledger with people beside it."""
    runtime = open_runtime(Settings(home=tmp_path / "home"))
    day = (utc_now() - dt.timedelta(days=1)).date().isoformat()
    (tmp_path / "units.csv").write_text(re.sub(r"2026-10-0\d", day, UNITS))
    load_tables(runtime.lake, "experiment_units", [tmp_path / "units.csv"], now=utc_now())
    refresh((ROLLUPS["value.arms"],), runtime.warehouse, runtime.store, utc_now)
    desk = copy_of(template, runtime.settings.home / "ledger.sqlite")
    desk.initiative()
    desk.add("ownership", **OWNERSHIP)
    return runtime, desk


def accepted(desk: Desk, **more: object) -> str:
    risk = desk.add("risks", **RISK | {"treatment": "accept"})
    asked = desk.add(
        "acceptances", risk=risk.record_id, justification="Known", expires=dt.date(2099, 1, 1), **more
    )
    desk.step("accept", desk.step("submit", asked), "carl")
    return asked.record_id


def state_of(desk: Desk, record_id: str) -> Row:
    with desk.ledger.store.read() as db:
        found = rows.current(db, "acceptances", record_id)
    assert found is not None
    return found


def test_an_acceptance_lapses_on_its_tripwire_and_one_within_its_bound_does_not(home: tuple[Runtime, Desk]):
    runtime, desk = home
    tripped, sound = accepted(desk, **TRIPWIRE), accepted(desk, **TRIPWIRE | {"tripwire_threshold": 500.0})
    blind = accepted(desk, **TRIPWIRE | {"tripwire_metric": "model.auc"})
    assert runtime.watch.seen().breached == {tripped}
    (receipt,) = settle(runtime)
    assert receipt.record_id == tripped
    assert state_of(desk, tripped).state == "expired"
    assert "tripwire value.units is in breach" in state_of(desk, tripped).reason
    assert state_of(desk, sound).state == state_of(desk, blind).state == "accepted"
    assert settle(runtime) == ()
    (found,) = runtime.readings.read(ALL["risk.expired_relied_on"], Scope())
    assert (found.numerator, found.denominator) == (1, 3)


def test_a_refresh_lets_it_lapse_and_says_so(home: tuple[Runtime, Desk]):
    runtime, desk = home
    tripped = accepted(desk, **TRIPWIRE)
    done = CliRunner().invoke(cli, ["--home", str(runtime.settings.home), "refresh"])
    assert f"{tripped} has lapsed (audit entry" in done.stderr
    assert state_of(desk, tripped).state == "expired"


def test_a_start_lets_it_lapse_behind_the_first_answer(home: tuple[Runtime, Desk], caplog):
    runtime, desk = home
    tripped = accepted(desk, **TRIPWIRE)
    server.after_start(replace(runtime.settings, read_ahead=False))
    assert state_of(desk, tripped).state == "expired"
    assert f"{tripped} has lapsed" in caplog.text


def test_a_fault_in_what_lapses_is_told_and_readers_are_still_read_ahead_for(home, monkeypatch, caplog):
    runtime, _ = home
    ahead: list[Runtime] = []

    def broken(_: Runtime) -> None:
        raise RuntimeError("the ledger is away")

    monkeypatch.setattr("app.govern.watch.settle", broken)
    monkeypatch.setattr("app.warm.keep_warm", ahead.append)
    server.after_start(replace(runtime.settings, read_ahead=True))
    assert len(ahead) == 1
    assert "the ledger is away" in caplog.text


def test_indicators_in_breach_are_counted_from_live_readings(home: tuple[Runtime, Desk]):
    runtime, desk = home
    bound = {f"indicator_{k.removeprefix('tripwire_')}": v for k, v in TRIPWIRE.items()}
    for more in (
        bound,
        bound | {"indicator_threshold": 500.0},
        bound | {"indicator_metric": "model.auc"},
        {},
    ):
        desk.add("risks", **RISK | more)
    (found,) = runtime.readings.read(ALL["risk.indicators_in_breach"], Scope())
    assert (found.numerator, found.denominator, found.n) == (1, 2, 2)
    assert found.warnings == ("1 of 3 indicators cannot be measured today",)
    own = {k: "risk.indicators_in_breach" if k == "indicator_metric" else v for k, v in bound.items()}
    desk.add("risks", **RISK | own)  # a bound on the count of bounds is not followed round in a circle
    (again,) = runtime.readings.read(ALL["risk.indicators_in_breach"], Scope())
    assert again.denominator == 2


def test_a_rating_lowered_while_its_indicator_got_worse_is_found(lite: Desk, enterprise: Runtime):
    lite.ledger.clock.now = dt.datetime(2026, 10, 14, 9, tzinfo=dt.UTC)  # type: ignore[attr-defined]
    lite.initiative()
    lite.add("ownership", **OWNERSHIP)
    bound = {
        "indicator_comparator": "at least",
        "indicator_threshold": 0.9,
        "indicator_scope": ("model_id=fraud_v7",),
    }
    falling = lite.add("risks", **RISK | bound | {"indicator_metric": "model.label_coverage"})
    steady = lite.add("risks", **RISK | bound | {"indicator_metric": "model.predictions"})
    for receipt in (falling, steady):
        lite.change(receipt, residual_likelihood=1)
    assert worse(lite.ledger, enterprise.readings) == {falling.record_id}
    door = type("Open", (), {"ledger": lambda self: lite.ledger})()
    room = open_room(lite.ledger, who("omar"), Watch(door, enterprise.readings, lite.ledger.clock))
    assert room.seen.worse == {falling.record_id}
    rules = {n.rule for n in needs(room, "risks") if n.record_id == falling.record_id}
    assert "residual lowered while its indicator worsened" in rules
    assert lint  # the rule itself is tested with the others


def test_the_day_of_the_last_lowering_counts(lite: Desk):
    lite.initiative()
    lite.add("ownership", **OWNERSHIP)
    first = lite.add("risks", **RISK)
    for likelihood in (1, 3, 2):
        first = lite.change(first, residual_likelihood=likelihood)
    with lite.ledger.store.read() as db:
        versions = rows.history(db, "risks", first.record_id)
    assert lowered_on(versions) == versions[-1].at.date()
    assert lowered_on(versions[:1]) is None
    assert lowered_on(versions[2:3]) is None


def room_of(desk: Desk, name: str = "omar") -> Room:
    return open_room(desk.ledger, who(name))


def test_claims_of_a_model_card_are_held_against_todays_intervals(lite: Desk, enterprise: Runtime):
    readings: Readings = enterprise.readings
    auc = readings.read(ALL["model.auc"], Scope(where=(("model_id", "churn_v3"),)))[0]
    assert auc.value is not None
    lite.add("initiatives", record_id="churn", **INITIATIVE | {"model_ids": ("churn_v3",)})
    lite.add("ownership", **OWNERSHIP)
    lite.add(
        "operability", initiative="churn", rollback_plan="Off", owner="demo|omar", next_review=dt.date(2027, 1, 1),
        card_claims=(f"model.auc={auc.value:.4f}", "model.auc=0.999", "model.auc=good", "model.size=7"),
    )  # fmt: skip
    found = claims(room_of(lite), readings)
    assert [c.state for c in found] == [OUT_OF_DATE, UNMEASURED, UNMEASURED, HOLDS]
    assert (found[0].subject, found[0].claimed) == ("churn_v3", "0.999")
    assert "above today's interval" in found[0].why
    assert "write METRIC=NUMBER" in found[1].why


def test_a_file_is_kept_under_its_hash_and_recorded_once(lite: Desk, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    given = (
        ("title", "Report"),
        ("type", "test report"),
        ("basis", "observed"),
        ("owner", who(CLERK).identity),
    )
    upload = Upload("../../etc/pass\nwd.pdf", b"a report")
    first = keep(room_of(lite, CLERK), settings, upload, None, given)
    again = keep(room_of(lite, CLERK), settings, upload, None, given)
    assert first.receipt is not None
    assert again.receipt is not None
    assert again.receipt.replay
    row = room_of(lite).shelf["evidence"][first.receipt.record_id]
    assert (row["file_name"], row["bytes"]) == ("pass\ufffdwd.pdf", 8)
    assert kept_file(settings, row) == b"a report"
    newer = keep(room_of(lite, CLERK), settings, Upload("b.pdf", b"a newer one"), row, ())
    assert newer.receipt is not None
    assert newer.receipt.version == 2
    kept = next((tmp_path / "home" / "evidence").glob("*/*"))
    kept.write_bytes(b"altered")
    broken = row if row["sha256"] == kept.name else room_of(lite).shelf["evidence"][row.record_id]
    with pytest.raises(ValueError, match="altered"):
        kept_file(settings, broken)


def test_who_may_not_record_evidence_leaves_no_file_behind(lite: Desk, tmp_path: Path):
    said = keep(room_of(lite, "vera"), Settings(home=tmp_path / "home"), Upload("a", b"x"), None, ())
    assert said.receipt is None
    assert "your rights (viewer)" in said.text
    assert not (tmp_path / "home" / "evidence").exists()
    assert shown_name("C:\\temp\\" + "x" * 400) == "x" * 200
    assert shown_name("/") == "file"


def test_a_latency_budget_is_a_target_of_the_initiatives_models(lite):
    """A budget of 150 ms judges the 95th percentile, in seconds, of every model of the initiative, and of no other."""
    churn = lite.initiative()
    lite.change(churn, model_ids=("m1", "m2"))
    row = lite.add(
        "operability",
        initiative="churn",
        rollback_plan="Switch off",
        owner=user("omar"),
        next_review=dt.date(2027, 1, 1),
        latency_ms=150.0,
    )
    aims = books.promises(lite.ledger).budgets
    assert [t.where for t in aims] == [(("model_id", "m1"),), (("model_id", "m2"),)]
    assert {(t.metric, t.threshold, t.note) for t in aims} == {
        ("model.latency_p95", 0.15, f"latency budget of {row.record_id}")
    }
    lite.change(row, latency_ms=None)
    assert books.promises(lite.ledger).budgets == ()
