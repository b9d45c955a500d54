"""The Models page: the executive line with the right to act, and the analyst's view, on data and a ledger that agree."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.govern import demo as govern_demo
from app.govern import demo_acts
from app.govern.automation import mandate
from app.govern.model import Actor
from app.govern.model_notes import model_notes
from app.govern.open import open_ledger
from app.govern.views import Room, open_room
from app.measure.judged import Frame
from app.measure.model_analysis import MOST_DAYS, SHAPES, model_analysis
from app.measure.model_cards import model_detail, model_lines
from app.measure.model_words import model_words
from app.measure.restated import days_to_compare, restated
from app.measure.scope import Period, View, ground, window
from app.runtime import Runtime
from app.settings import Settings
from app.ui import charts_model, models
from data import ledger_store
from metrics import ALL
from metrics.core.metric import Scope
from metrics.core.posture import Right
from tests.app.test_pages import open_page, shown
from tests.conftest import NOW


def frame(runtime: Runtime, period: Period = Period.ALL) -> Frame:
    readings, chosen = runtime.readings.pinned(), View(period=period)
    return Frame(runtime, readings, chosen, window(chosen, ground(readings)), runtime.targets(), NOW)


@pytest.fixture(scope="module")
def home(enterprise: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The enterprise's data with the demo's ledger beside them."""
    made = tmp_path_factory.mktemp("models") / "home"
    shutil.copytree(enterprise.settings.home, made)
    with pytest.MonkeyPatch.context() as patch:
        quick = tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS)
        patch.setattr(ledger_store, "PRAGMAS", quick)
        acts = (*demo_acts.USERS, *demo_acts.INITIATIVES, *demo_acts.OWNERSHIP, *demo_acts.DECISIONS)
        patch.setattr(govern_demo, "diary", lambda _: tuple(sorted(acts, key=lambda act: -act.days_ago)))
        govern_demo.fill(Settings(home=made), NOW)
    return made


@pytest.fixture
def room(home: Path) -> Room:
    return open_room(open_ledger(Settings(home=home), lambda: NOW), Actor("demo", "hanna"))


def test_a_model_whose_owner_declared_nothing_may_only_advise(enterprise: Runtime, room: Room):
    found = mandate(room, frame(enterprise), "demand_v4")
    assert found.automation.right is Right.ADVISORY
    assert found.sentence == "Advisory only: no acceptable error is declared."


def test_a_model_that_acts_alone_without_the_right_is_told_so(enterprise: Runtime, room: Room):
    found = mandate(room, frame(enterprise), "offer_v5")
    assert found.level == "acts alone"
    assert found.decision == "Which offer a customer sees"
    if found.automation.right is not Right.AUTONOMOUS:
        assert found.sentence.endswith("It is set to act alone.")
    auc = next(
        r for r in enterprise.readings.read(ALL["model.auc"], Scope()) if dict(r.by)["model_id"] == "offer_v5"
    )
    expected = (
        Right.AUTONOMOUS
        if (auc.low or 0) >= 0.65
        else Right.STOP
        if (auc.high or 1) < 0.65
        else Right.ADVISORY
    )
    assert found.automation.right is expected


def test_the_line_speaks_of_money_where_an_error_is_priced(enterprise: Runtime, room: Room):
    made = frame(enterprise)
    notes = model_notes(room, made, model_lines(made))
    assert any("Its wrong flags cost about" in n and "at 12 each" in n for n in notes["lead_v2"])
    assert not any("cost about" in n for n in notes["demand_v4"])


def test_an_empty_ledger_says_nothing_that_nobody_declared(enterprise: Runtime, tmp_path: Path):
    empty = open_room(open_ledger(Settings(home=tmp_path / "h"), lambda: NOW), None)
    assert "no acceptable error is declared" in mandate(empty, frame(enterprise), "lead_v2").sentence


def test_sentences_say_what_is_known_and_where_groups_part(enterprise: Runtime):
    said = " ".join(model_words(frame(enterprise), "offer_v5"))
    assert "Outcomes are known for" in said
    assert "a cohort can be judged after" in said
    assert "Widest gap in wrong flags" in said


def test_the_analysts_view_has_every_part_and_its_figures_are_the_metrics(enterprise: Runtime):
    made = frame(enterprise)
    found = model_analysis(made, "offer_v5")
    assert {row.feature for row in found.drift} == {"score", "feat_activity", "feat_source"}
    assert all(len(row.figures) == len(SHAPES) for row in found.drift)
    assert found.precision is not None
    assert np.all(np.diff(found.precision.x) >= 0)
    assert found.arrival is not None
    assert found.arrival.y[-1] <= 1
    assert found.heat is not None
    assert dict(found.facts)["Largest rounding of the AUC (h)"]
    assert "SELECT" in found.sql.upper()


def test_the_map_of_segments_and_days_and_what_is_left_out_are_told(enterprise: Runtime):
    found = model_analysis(frame(enterprise), "offer_v5")
    assert found.heat is not None
    drawn = models.heat(found.heat)
    assert drawn.figure["data"][0]["type"] == "heatmap"
    assert len(drawn.figure["data"][0]["x"]) == len(found.heat.days) <= MOST_DAYS
    assert drawn.finding.startswith("Flags are right most often in")
    facts = dict(found.facts)
    assert "none counts as a negative" in facts["Left out: no outcome yet"]
    assert "days" in facts["Left out: too young"]


def test_what_was_said_on_a_past_day_stands_beside_what_is_said_now(enterprise: Runtime):
    made = frame(enterprise)
    days = days_to_compare(made)
    assert days == tuple(sorted(days, reverse=True))
    assert all(day.day == 1 for day in days)
    told = {r.metric.key: r for r in restated(made, "offer_v5", days[0])}
    coverage = told["model.label_coverage"]
    assert coverage.then.n == coverage.now.n
    assert (coverage.then.value or 0) <= (coverage.now.value or 0)
    auc = told["model.auc"]
    assert auc.then.n <= auc.now.n
    assert auc.then.as_of is not None
    assert auc.then.as_of.date() == days[0]


def test_a_model_without_mature_days_is_estimated_and_says_so(enterprise: Runtime):
    lines = model_lines(frame(enterprise, Period.WEEKS_4))
    young = [line for line in lines if line.facts and not line.detail]
    assert all(
        line.sentence.startswith(("Estimated", "Of 100")) or "too young" in line.sentence for line in young
    )
    trend = model_detail(frame(enterprise), "offer_v5")
    drawn = charts_model.trend(trend)
    if trend.estimated:
        assert "estimated" in drawn.note
        assert drawn.figure["data"][-1]["line"]["dash"] == "dot"


def test_the_reference_is_seen_from_any_period_and_week(enterprise: Runtime):
    """A reading of the last week is compared with the first 28 days, which that week does not hold."""
    first, last = enterprise.readings.days(ALL["drift.psi"].rollup)
    late = Scope(since=last - dt.timedelta(days=3), until=last)
    metric = ALL["drift.null_share_difference"]
    told = enterprise.readings.read(metric, late)
    assert all(r.value is not None for r in told if dict(r.by)["model_id"] == "offer_v5")
    psi = enterprise.readings.read(
        ALL["drift.psi"], replace(late, by=("week",), where=(("model_id", "offer_v5"),))
    )
    assert any(f"compared with {first.isoformat()}" in w for r in psi for w in r.warnings)
    early = enterprise.readings.read(ALL["drift.psi"], Scope(until=first + dt.timedelta(days=5)))
    assert all("no prediction outside the reference" in r.reason for r in early)


def test_the_page_draws_the_mandate_and_the_analysts_view(home: Path, monkeypatch: pytest.MonkeyPatch):
    text = shown(open_page(home, "models", monkeypatch, model="offer_v5"))
    assert "For analysts" in text
    assert "Has its world moved?" in text
    assert "may operate" in text.lower() or "advisory only" in text.lower() or "stop:" in text.lower()
