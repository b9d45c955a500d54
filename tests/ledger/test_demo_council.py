"""The demo's council shows the five cases that it is there to show: one passes, one straddles, one is blocked, one Go is
outdated, one condition was breached and its decision is back. Always on numbers set by hand; in the soak on the data of the
whole demo too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from app.govern import demo, demo_acts, demo_gates, demo_meeting, demo_risks, views_gates
from app.govern.gates.decided import Stands
from app.govern.gates.evaluate import Sources, sources
from app.govern.gates.look import look, look_at
from app.govern.gates.review import review_row, sight
from app.govern.gates.then import calibrated, compare
from app.govern.model import Actor, Ledger
from app.govern.open import open_ledger
from app.govern.views import open_room
from app.measure import demo as enterprise
from app.measure.refresh import refresh
from app.measure.targets import load_targets
from app.runtime import open_runtime, utc_now
from app.settings import Settings
from data.demo import demo_targets
from metrics import ROLLUPS
from metrics.core.metric import Metric, Reading, Scope
from metrics.core.verdict import State
from tests.cases import SOAK
from tests.conftest import NOW, clock

PASSES, STRADDLES, BLOCKED, OUTDATED, RETURNED = (
    "GATE-0006",
    "GATE-0007",
    "GATE-0008",
    "GATE-0004",
    "GATE-0005",
)


@dataclass(frozen=True)
class Told:
    """Stands in for the Readings as they were known at a moment: fine, but for what the diary plans."""

    at: dt.datetime

    def read(self, metric: Metric[object], scope: Scope) -> tuple[Reading, ...]:
        subject = scope.where[-1][1] if scope.where else ""
        value, low, high = self._numbers(metric.key, subject)
        return (
            Reading(
                metric.key, scope.where, value, low, high, 1000, None, None, metric.unit, "by hand", "", (), self.at, "g1.d1"
            ),
        )  # fmt: skip

    def _numbers(self, key: str, subject: str) -> tuple[float, float | None, float | None]:
        early = NOW - self.at > dt.timedelta(days=90)
        match key, subject:
            case "value.mean_difference", "demand_trial":
                return (8.0, 5.0, 11.0) if early else (4.0, -1.0, 9.0)
            case "value.mean_difference", _:
                return 9.0, 6.0, 12.0
            case "activation.in_window_share", "churn_v3":
                return 0.6, 0.55, 0.65
            case "activation.in_window_share", _:
                return 0.97, 0.96, 0.98
            case _:
                return 0.5, None, None

    def days(self, _: object) -> None:
        return None


def broken(metric: Metric[object]) -> tuple[str, ...]:
    """The contract that keeps fraud screening waiting."""
    return ("contract identity-links is broken: freshness",) if metric.key.startswith("identity.") else ()


def by_hand(ledger: Ledger, moment: dt.datetime | None = None) -> Sources:
    held = look(ledger) if moment is None else look_at(ledger, moment)
    recent = moment is None or NOW - moment <= dt.timedelta(days=14)
    return Sources(held, Told(moment or NOW), broken if recent else lambda _: (), moment)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, no_waiting_for_the_disk: None) -> Ledger:
    """The part of the diary that a council looks at, on numbers set by hand."""
    settings = Settings(home=tmp_path_factory.mktemp("council"))
    (settings.home / "targets.toml").write_text(demo_targets())
    acts = (
        *demo_acts.USERS, *demo_risks.APPETITES, *demo_acts.INITIATIVES, *demo_acts.OWNERSHIP, *demo_acts.DECISIONS,
        *demo_risks.RISKS, *demo_risks.CONTROLS, *demo_risks.REQUESTS, *demo_risks.CONTRACTS, *demo_risks.RUNNING,
        *demo._targets(load_targets(settings.home)), *demo_meeting.OPENED, *demo_gates.ACTS, *demo_meeting.CLOSED,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "diary", lambda _: tuple(sorted(acts, key=lambda act: -act.days_ago)))
        patch.setattr(demo_gates.Scene, "sources", property(lambda s: by_hand(s.ledger, s.ledger.clock())))
        demo.fill(settings, NOW)
    return open_ledger(settings, clock)


@pytest.fixture
def told(ledger: Ledger) -> Sources:
    return by_hand(ledger)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, no_waiting_for_the_disk: None) -> Sources:
    """The whole demo, measured."""
    if not SOAK:
        pytest.skip("the whole demo takes minutes; THROUGHLINE_SOAK=1 runs it")
    settings = Settings(home=tmp_path_factory.mktemp("whole"))
    runtime = open_runtime(settings)
    now = utc_now()  # contracts are kept or broken on the day itself
    enterprise.write(runtime, now, days=180, persons=20_000, seed=7)
    refresh(ROLLUPS.values(), runtime.warehouse, runtime.store, lambda: now)
    demo.fill(settings, now)
    return sources(runtime, open_ledger(settings, lambda: now))


@pytest.fixture(params=["told", "measured"])
def council(request: pytest.FixtureRequest) -> Sources:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Sources)
    return found


def states(found: Sources, number: str) -> dict[str, State]:
    basis = sight(found, review_row(found.look, number)).basis
    return {f.criterion.key: f.state for f in basis.findings}


def test_one_initiative_passes(council: Sources):
    seen = sight(council, review_row(council.look, PASSES))
    assert seen.standing.holds
    assert states(council, PASSES)["benefit: lead_holdout"] is State.MET


def test_one_is_inconclusive_because_its_interval_straddles(council: Sources):
    seen = sight(council, review_row(council.look, STRADDLES))
    assert not seen.standing.holds
    assert seen.standing.gaps == ("benefit: demand_trial",)
    (finding,) = [f for f in seen.basis.findings if f.criterion.key == "benefit: demand_trial"]
    reading, threshold = finding.reading, finding.criterion.threshold
    assert finding.state is State.INCONCLUSIVE
    assert reading is not None
    assert threshold is not None
    assert reading.low is not None
    assert reading.high is not None
    assert reading.low < threshold < reading.high


def test_one_is_blocked_by_a_failed_contract(council: Sources):
    standing = sight(council, review_row(council.look, BLOCKED)).standing
    assert not standing.holds
    assert "contracts" in standing.blocked
    assert len(standing.blocked) > 1  # and so are the numbers behind it
    assert "broken contract" in standing.why


def test_one_go_is_outdated_today(council: Sources):
    decision = council.look.find("gate_decisions", OUTDATED)
    assert decision is not None
    assert decision["outcome"] == "go"
    both = compare(council, decision)
    assert both.then.standing.holds
    assert both.outdated
    assert not both.passes
    assert "benefit: demand_trial" in {c.key for c in both.changes if c.material}


def test_one_condition_was_breached_and_its_decision_is_back(council: Sources):
    decision = council.look.find("gate_decisions", RETURNED)
    assert decision is not None
    assert decision["outcome"] == "conditional go"
    assert compare(council, decision).stands is Stands.RETURNED
    failed = [c for c in council.look.rows("conditions") if c["review"] == RETURNED and c.state == "breached"]
    assert [c.text("title") for c in failed] == ["Four of five customers are called within the window"]


def test_the_agenda_names_all_of_them(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(views_gates, "sources_of", lambda *_: by_hand(ledger))
    monkeypatch.setattr(views_gates, "_calibration", lambda *_: calibrated((), 0))
    room = open_room(ledger, Actor("demo", "hanna"))
    sound = SimpleNamespace(contracts=SimpleNamespace(failures=lambda _: ()))
    board = views_gates.council_board(room, sound, None)  # type: ignore[arg-type]
    due = {item.point for item in board.agenda}
    assert {f"review {PASSES}", f"review {STRADDLES}", f"review {BLOCKED}"} <= due
    assert {f"outdated {OUTDATED}", f"returned {RETURNED}"} <= due
    assert "1 decision outdated" in board.sentence
