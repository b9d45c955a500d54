"""The portfolio: what is added, what stands beside, and that undefined is never zero."""

from __future__ import annotations

import pytest

from app.govern import rows, views_value
from app.govern.views import Room
from app.settings import Settings
from app.ui import charts_studies
from data.registers import REGISTERS
from tests.ledger.homes import who
from tests.ledger.test_studies import held, run, written


def room_of(desk, settings):
    with desk.ledger.store.read() as db:
        shelf = {name: {r.record_id: r for r in rows.rows(db, name)} for name in REGISTERS}
    return Room(desk.ledger, who("carl"), ("council",), desk.ledger.clock(), shelf)


def test_only_attributed_value_is_added_and_one_study_an_initiative(lite, tmp_path):
    settings = Settings(home=tmp_path)
    lite.initiative()
    lite.initiative("other")
    run(lite, settings, written(tmp_path, name="one", initiative="churn"))
    run(lite, settings, written(tmp_path, name="two", initiative="churn", recapture=0.5))
    run(lite, settings, written(tmp_path, name="three", initiative="other"))
    run(lite, settings, written(tmp_path, name="four", initiative="other", coding_confirmed=False))
    found = views_value.portfolio(room_of(lite, settings), settings)
    assert {line.title: line.adds for line in found.lines} == {
        "one": False,
        "two": True,
        "three": True,
        "four": False,
    }
    assert "another study of this initiative" in next(x.why_not for x in found.lines if x.title == "one")
    assert "blocked by coding confirmed" in next(x.why_not for x in found.lines if x.title == "four")
    added = [r for r in held(lite, "study_results") if r.text("study").startswith(("two", "three"))]
    assert found.total is not None
    assert found.total.value == pytest.approx(sum(r["value"] for r in added))
    assert found.total.low == pytest.approx(
        found.total.value - sum((r["value"] - r["value_low"]) ** 2 for r in added) ** 0.5
    )
    assert "1 study is blocked" in found.sentence


def test_nothing_attributed_is_no_sum_rather_than_zero(lite, tmp_path):
    settings = Settings(home=tmp_path)
    assert views_value.portfolio(room_of(lite, settings), settings).total is None
    run(lite, settings, written(tmp_path, coding_confirmed=False))
    found = views_value.portfolio(room_of(lite, settings), settings)
    assert found.total is None
    assert found.sentence.startswith("No study attributes a value yet")


def test_the_waterfall_ends_at_what_is_left(lite, tmp_path):
    settings = Settings(home=tmp_path)
    done, _ = run(lite, settings, written(tmp_path))
    chart = charts_studies.waterfall(done)
    trace = chart.figure["data"][0]
    assert trace["x"] == ["Value", "Run", "Build", "Left"]
    assert trace["y"][-1] == pytest.approx(done.roi.value - done.roi.cost)
    assert sum(trace["y"][:-1]) == pytest.approx(trace["y"][-1])
