"""The portfolio: what each line says, what asks for somebody, when a pilot is a trap, and two hundred initiatives."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.govern import commands
from app.govern.commands import execute_all, values_of
from app.govern.model import Actor, Add
from app.govern.views import Room, open_room
from app.govern.views_pilots import Pilots, pilots
from app.govern.views_portfolio import PortfolioBoard, portfolio_board
from app.govern.views_portfolio_numbers import study_of
from app.govern.views_readiness import readiness
from app.measure.judged import Frame
from app.runtime import Runtime
from app.ui.charts_portfolio import production
from metrics._delivery_waits import WAITS
from tests.app.test_scorecard import frame
from tests.ledger import homes
from tests.ledger.homes import INITIATIVE, OWNERSHIP, RISK, Desk, user
from tests.ledger.test_learning_metrics import DECISION, REVIEW
from tests.metrics.homes import loaded_into

HEAD = "delivery_id,initiative_id,event,event_at\n"
MARK = "source,complete_through_at\nall,2026-11-01T00:00:00Z\n"
TODAY = homes.NOW.date()
Pilot = tuple[str, int, int | None]  # initiative, days ago of the pilot and of production


def delivery(rows: tuple[Pilot, ...]) -> str:
    lines = []
    for at, (slug, began, live) in enumerate(rows):
        for event, ago in (("pilot_started", began), ("production", live)):
            if ago is not None:
                day = dt.date(2026, 11, 1) - dt.timedelta(days=ago)
                lines.append(f"{event[:2]}{at},{slug},{event},{day}T00:00:00Z\n")
    return HEAD + "".join(lines)


@pytest.fixture
def warehouse(tmp_path: Path) -> Callable[..., Runtime]:
    def make(*rows: Pilot) -> Runtime:
        tables = {"delivery_events": delivery(rows), "data_watermarks": MARK}
        return loaded_into(tmp_path / "home", tables, (WAITS,))

    return make


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return homes.fresh(tmp_path / "ledger.sqlite").people()


def room_of(desk: Desk) -> Room:
    return open_room(desk.ledger, Actor("demo", "carl"))


def board(desk: Desk, runtime: Runtime, wanted: str = "") -> PortfolioBoard:
    return portfolio_board(room_of(desk), frame(runtime), wanted)


def tried(desk: Desk, runtime: Runtime) -> Pilots:
    return pilots(room_of(desk), runtime.readings)


def promise(desk: Desk, slug: str, due: int) -> None:
    desk.add(
        "milestones",
        initiative=slug,
        kind="production",
        title="Live",
        due=TODAY + dt.timedelta(days=due),
        owner=user("omar"),
    )


def test_a_pilot_past_its_promise_is_a_trap_and_one_within_it_is_not(desk: Desk, warehouse):
    for slug in ("late", "young", "done"):
        desk.initiative(slug)
    promise(desk, "late", -12)
    promise(desk, "young", 12)
    found = tried(desk, warehouse(("late", 90, None), ("young", 300, None), ("done", 100, 60)))
    assert [(p.record_id, p.age, p.trap) for p in found.running] == [
        ("late", 90, "12 days past its promise"), ("young", 300, ""),
    ]  # fmt: skip


def test_without_a_promise_a_pilot_is_measured_by_what_the_others_needed(desk: Desk, warehouse):
    rows = (("a", 100, 90), ("b", 100, 80), ("c", 100, 70), ("old", 60, None), ("new", 15, None))
    found = tried(desk, warehouse(*rows))
    # 10, 20 and 30 days; new is followed for 15, old for 60: S falls to 4/5, 8/15 and 4/15, so the median is 30
    assert found.curve is not None
    assert found.curve.median == 30
    assert [(p.record_id, bool(p.trap)) for p in found.running] == [("old", True), ("new", False)]
    assert "older than the 30 days" in found.running[0].trap
    assert (found.curve.n, found.curve.done) == (5, 3)
    assert found.curve.share.tolist() == pytest.approx([1 / 5, 1 / 5, 7 / 15, 11 / 15, 11 / 15])


def test_a_pilot_given_up_runs_no_more_and_still_counts_as_one_that_got_nowhere(desk: Desk, warehouse):
    desk.add("initiatives", record_id="dead", **INITIATIVE | {"stage": "retired"})
    desk.initiative("alive")
    found = tried(desk, warehouse(("dead", 90, None), ("alive", 60, 20)))
    assert found.running == ()
    assert found.curve is not None
    assert (found.curve.n, found.curve.done) == (2, 1)


def test_where_too_few_got_through_no_median_makes_a_trap(desk: Desk, warehouse):
    found = tried(desk, warehouse(("a", 100, None), ("b", 400, None)))
    assert not found.traps
    assert "Fewer than half of 2 pilots" in production(found.curve).finding


def test_no_pilot_and_no_initiative_say_what_to_do(desk: Desk, empty: Runtime):
    found = board(desk, empty)
    assert found.sentence == "No initiative is recorded yet."
    assert found.lines == found.pilots.running == ()
    assert "load delivery_events" in production(found.pilots.curve).note


def test_an_orphan_asks_first_and_the_line_names_owner_risk_and_gate(desk: Desk, empty: Runtime):
    desk.initiative("churn")
    desk.initiative("leads")
    desk.add("ownership", **OWNERSHIP)
    desk.add("risks", **RISK | {"current_likelihood": 4, "current_impact": 3})
    found = board(desk, empty)
    first, second = found.lines
    assert (first.record_id, first.owner, first.asks) == ("leads", "nobody", ("nobody answers for it",))
    assert (second.owner, second.risk, second.gate, second.waits) == (
        "Omar",
        12,
        "production",
        "no review is open",
    )
    assert found.sentence == "Nobody answers for Churn retention."
    tried_ = next(b for b in found.balance if b.horizon == "Being tried")
    assert tried_.counts == (0, 0, 1, 0, 1)


def test_open_reviews_returned_decisions_and_late_conditions_ask(desk: Desk, empty: Runtime):
    for slug in ("open", "back", "late", "calm"):
        desk.initiative(slug)
        desk.add("ownership", **OWNERSHIP | {"initiative": slug})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_council_rules", lambda *_: None)
        patch.setattr(commands, "why_not", lambda *_: None)
        given = {
            s: desk.add("gate_reviews", initiative=s, **REVIEW).record_id
            for s in ("open", "back", "late", "calm")
        }
        for slug in ("back", "late", "calm"):
            desk.add("gate_decisions", "carl", record_id=given[slug], review=given[slug], **DECISION)
        desk.add("gate_events", "carl", decision=given["back"], event="returned", why="It failed")
        for slug, due in (("late", -1), ("calm", 5)):
            desk.add("conditions", "carl", review=given[slug], title="It lasts", kind="hold from now", owner=user("omar"),
                     due=TODAY + dt.timedelta(days=due))  # fmt: skip
    told = {
        x.record_id: (x.gate, plain(x.waits), tuple(plain(a) for a in x.asks))
        for x in board(desk, empty).lines
    }
    assert told["open"] == ("scale", "in review since 1 Nov 2026", ("in review since 1 Nov 2026",))
    assert told["back"][:2] == ("scale", "came back: a condition failed")
    assert "overdue" in told["late"][2][0]
    assert told["calm"] == ("production", "1 condition open, next due 6 Nov 2026", ())


def test_the_return_is_shown_only_of_a_study_that_counts(desk: Desk):
    desk.initiative()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "why_not", lambda *_: None)
        desk.add(
            "studies",
            "anna",
            record_id="plan",
            title="P",
            design="did",
            initiative="churn",
            plan_hash="a" * 64,
            plan="{}",
        )
        result = {
            "study": "plan", "sha256": "c" * 64, "bytes": 1, "diagnostics": "[]", "value": 300.0, "value_low": 150.0,
            "value_high": 420.0, "cost": 200.0,
        }  # fmt: skip
        desk.add(
            "study_results",
            "anna",
            record_id="weak",
            data_hash="1" * 64,
            grade="modelled",
            counted=False,
            **result,
        )
        assert study_of(room_of(desk))["churn"].roi == "–"
        desk.add(
            "study_results",
            "anna",
            record_id="sound",
            data_hash="2" * 64,
            grade="randomised",
            counted=True,
            **result,
        )
    found = study_of(room_of(desk))["churn"]
    assert (found.grade, found.roi) == ("randomised", "+0.5 (\u22120.2 to +1.1)")  # (300 - 200) / 200


def test_words_find_initiatives_and_nothing_found_says_so(desk: Desk, empty: Runtime):
    desk.initiative("churn")
    desk.add("initiatives", record_id="leads", **INITIATIVE | {"title": "Lead scoring", "stage": "scale"})
    assert [x.record_id for x in board(desk, empty, "SCALE lead").lines] == ["leads"]
    found = board(desk, empty, "nothing like it")
    assert (found.lines, found.total) == ((), 2)


def test_readiness_names_each_item_in_the_order_of_the_pillars(desk: Desk, empty: Runtime):
    desk.initiative()
    made: Frame = frame(empty)
    found = readiness(made, "churn")
    assert found.proofs == ()  # this home has no ledger of its own
    assert found.sentence == "Nothing is recorded of this initiative."


def plain(said: str) -> str:
    return said.replace("\u00a0", " ")


def many(desk: Desk, n: int) -> None:
    made = (INITIATIVE | {"title": f"Initiative {i}"} for i in range(n))
    batch = tuple(Add("initiatives", values_of(**one), f"i{i:03d}") for i, one in enumerate(made))
    execute_all(desk.ledger, batch, Actor("demo", "omar"), "many")


def test_two_hundred_initiatives_are_read_in_a_blink(desk: Desk, warehouse):
    many(desk, 200)
    runtime = warehouse(*((f"i{i:03d}", 20 + i, 10 + i // 2 if i % 3 else None) for i in range(200)))
    times = []
    for _ in range(4):
        began = time.process_time()
        found = board(desk, runtime)
        times.append(time.process_time() - began)
    assert (found.total, len(found.lines)) == (200, 200)
    assert len(found.pilots.running) == sum(i % 3 == 0 for i in range(200))
    assert min(times[1:]) < 0.15, times
