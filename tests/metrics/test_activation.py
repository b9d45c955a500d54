"""The worked warehouse: every figure of its section `activation`, from files to Readings, on both engines."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.measure.cases import case_list
from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.load.tables import load_tables
from metrics import ALL, ROLLUPS
from metrics._activation_continuity import FEWEST, OBJECTIVE
from metrics._activation_figures import incidence_curves, latency_curve, warnings_of
from metrics._activation_states import StateCells
from metrics.core.metric import Choice, Reading, Scope
from tests import postgres
from tests.cases import CASES, needs_cases
from tests.conftest import NOW, clock
from tests.oracle import continuity
from tests.oracle.engine import View, read_folder, world

pytestmark = needs_cases
MARCH_10, MARCH_12 = (dt.datetime(2026, 3, day, tzinfo=dt.UTC) for day in (10, 12))
MINE = [r for k, r in ROLLUPS.items() if k.startswith("activation.")]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((CASES / "golden" / "expected.json").read_text())["activation"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """The worked files in the embedded lake."""
    runtime = open_runtime(Settings(home=tmp_path_factory.mktemp("golden")))
    for file in sorted((CASES / "golden").glob("*.csv")):
        (report,) = load_tables(runtime.lake, file.stem, [file], now=NOW)
        assert report.outcome != "refused", report.message()
    refresh(MINE, runtime.warehouse, runtime.store, clock)
    return runtime


@pytest.fixture(scope="module", params=["DuckDB", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def golden(
    files: Runtime, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Runtime:
    """The same rows on each engine, refreshed."""
    if request.param == "DuckDB":
        return files
    url = request.getfixturevalue("pg")
    postgres.mirror(files.lake, url, "golden")
    home = tmp_path_factory.mktemp("golden-pg")
    runtime = open_runtime(Settings(home=home, warehouse_url=url, warehouse_schema="golden"))
    refresh(MINE, runtime.warehouse, runtime.store, clock)
    return runtime


def read(runtime: Runtime, name: str, **scope: Any) -> tuple[Reading, ...]:
    return runtime.readings.read(ALL[f"activation.{name}"], Scope(**scope))


def value(runtime: Runtime, name: str, **scope: Any) -> float | None:
    (found,) = read(runtime, name, **scope)
    return found.value


def cells_at(runtime: Runtime, as_of: dt.datetime | None) -> StateCells:
    ((_, cells),) = runtime.readings.cells(ROLLUPS["activation.states"], Scope(as_of=as_of))
    return cells


@pytest.mark.parametrize("as_of", [MARCH_10, MARCH_12])
def test_states_add_up_and_the_share_is_restated_after_a_late_row(golden, expected, as_of):
    want = expected[f"as_of_{as_of:%Y-%m-%d}"]
    found = read(golden, "signals", by=("state",), as_of=as_of)
    assert {dict(r.by)["state"]: r.value for r in found} == want["states"]
    assert value(golden, "signals", as_of=as_of) == 19
    (share,) = read(golden, "in_window_share", as_of=as_of)
    assert (share.numerator, share.denominator) == (
        want["share_in_window"]["num"],
        want["share_in_window"]["den"],
    )
    assert share.value == pytest.approx(want["share_in_window"]["value"], abs=1e-6)
    assert any("1 excluded holdout" in w and "1 open" in w for w in share.warnings)


def test_the_stored_cells_are_those_of_the_newest_load(golden, expected):
    found = read(golden, "signals", by=("state",))
    assert {dict(r.by)["state"]: r.value for r in found} == expected["as_of_2026-03-12"]["states"]


def test_the_survival_curve_and_its_median(golden, expected):
    want = expected["km_naive_competing_as_censored"]
    curve = latency_curve(cells_at(golden, MARCH_10))
    assert (curve.n, int(curve.events.sum())) == (want["n"], want["events"])
    steps = curve.events > 0
    found = dict(zip(curve.time[steps], curve.survival[steps], strict=True))
    assert found == pytest.approx({float(t): s for t, s in want["S"].items()}, abs=1e-6)
    assert value(golden, "latency_median", as_of=MARCH_10) == want["median"]
    assert value(golden, "latency_p90", as_of=MARCH_10) is None
    assert "not reached" in read(golden, "latency_p90", as_of=MARCH_10)[0].reason


def test_the_incidence_curves_with_competing_events(golden, expected):
    curves = incidence_curves(cells_at(golden, MARCH_10))
    want = expected["aalen_johansen"]
    steps = curves.events.sum(axis=0) > 0
    assert [f"{t:g}" for t in curves.time[steps]] == list(want)
    assert list(curves.at_risk[steps]) == [w["at_risk"] for w in want.values()]
    assert list(curves.incidence[0, steps]) == pytest.approx(
        [w["cif_activated"] for w in want.values()], abs=1e-6
    )
    rival = curves.incidence[1:, steps].sum(axis=0)
    assert list(rival) == pytest.approx([w["cif_competing"] for w in want.values()], abs=1e-6)
    at_window = value(golden, "incidence_in_window", as_of=MARCH_10)
    assert at_window == pytest.approx(want["3600"]["cif_activated"], abs=1e-6)


def test_latencies_are_exact_seconds_in_the_cells(golden, expected):
    late_row = 900.0  # known on 12 March
    for as_of, want in (
        (MARCH_10, expected["latencies_sorted_seconds"]),
        (None, sorted([*expected["latencies_sorted_seconds"], late_row])),
    ):
        cells = cells_at(golden, as_of)
        sent = np.isin(cells.state, ("in_window", "late"))
        assert list(np.sort(np.repeat(cells.seconds[sent], cells.n[sent]))) == want


def test_repeated_signals_of_one_person_are_one_episode(golden, expected):
    (found,) = golden.readings.cells(ROLLUPS["activation.episodes"], Scope(as_of=MARCH_10))
    cells = found[1]
    assert expected["episode_mode_latency_p13_seconds"] in cells.seconds[cells.state == "in_window"]
    assert cells.n.sum() == 19 - 4  # tests, holdout and no action are out; S13a and S13b are one
    assert value(golden, "episode_latency_median", as_of=MARCH_10) is not None


def test_hops_manual_share_and_complete_chains(golden, expected):
    found = {dict(r.by)["hop"]: r.value for r in read(golden, "hop_seconds", as_of=MARCH_10)}
    want = {step.split("->")[1]: s for step, s in expected["hop_seconds_S01"].items()}
    assert found == want
    (manual,) = read(golden, "manual_share", as_of=MARCH_10)
    share = expected["manual_share_scored_to_sent_S01"]
    assert (manual.numerator, manual.denominator, manual.value) == (
        share["manual_seconds"], share["total_seconds"], share["value"],
    )  # fmt: skip
    (whole,) = read(golden, "complete_chain_share", as_of=MARCH_10)
    assert (whole.numerator, whole.denominator) == (1, 8)
    assert value(golden, "manual_signals_share", as_of=MARCH_10) == 1


def test_value_lost_and_the_way_back(golden, expected):
    (lost,) = read(golden, "value_lost", as_of=MARCH_10)
    want = expected["value_lost_step"]
    assert (lost.value, lost.n) == (want["value"], want["late_plus_missed"])
    assert any(w.startswith("claimed") for w in lost.warnings)
    ((_, waits),) = golden.readings.cells(ROLLUPS["activation.feedback"], Scope(as_of=MARCH_10))
    assert expected["hop_seconds_S01"]["converted->fed_back"] in waits.seconds[waits.code == 1]


def lattice(horizon_s: float, window_s: float, cohorts: int = 10, period_s: float = 21_600.0) -> StateCells:
    """One signal a second, exported every six hours, seen until `horizon_s` after the first midnight."""
    scored = np.arange(cohorts * period_s) + 0.5
    wait = period_s - scored % period_s
    sent = scored + wait <= horizon_s
    age = horizon_s - scored
    seconds = np.where(sent, wait, age)
    state = np.where(
        sent, np.where(wait <= window_s, "in_window", "late"), np.where(age < window_s, "open", "missed")
    )
    one = np.ones(scored.size, dtype=np.int64)
    observed = 20_000 * 86_400_000_000 + round(horizon_s * 1e6)
    return StateCells(
        state.astype(object), np.full(scored.size, window_s), seconds, one, 0 * one, 0.0 * scored, observed
    )


def test_a_horizon_inside_a_cycle_biases_the_curve_and_is_warned_of():
    case = next(
        c
        for c in json.loads((CASES / "activation_cases.json").read_text())
        if c["id"] == "lattice-horizon-bias"
    )
    want = case["expected"]
    biased = lattice(10 * 21_600 - 0.25, 3600)
    median = ALL["activation.latency_median"].finalise
    share = ALL["activation.in_window_share"].finalise
    assert median is not None
    assert share is not None
    found = median(biased, Choice())
    assert found.value == pytest.approx(want["km_median_biased"], abs=0.5)
    assert any("biases the curve" in w for w in found.warnings)
    whole = lattice(8 * 21_600, 3600, cohorts=8)
    found = median(whole, Choice())
    assert found.value == pytest.approx(want["truth_median"], abs=1.0)
    assert not any("biases the curve" in w for w in warnings_of(whole))
    in_window = share(whole, Choice())
    assert in_window.value == pytest.approx(want["whole_cycle_share_truth"], abs=1e-6)


def test_every_list_of_cases_is_answered_and_that_of_the_share_adds_up(golden, expected):
    shown = replace(golden, settings=replace(golden.settings, person_lists=True))
    for metric in (m for k, m in ALL.items() if k.startswith("activation.") and m.cases):
        found = case_list(shown, metric, Scope(as_of=MARCH_10))
        assert not found.refused
        assert {"signal_id", "person_id", "state"} <= set(found.columns)
    lost = case_list(shown, ALL["activation.in_window_share"], Scope(as_of=MARCH_10))
    states = expected["as_of_2026-03-10"]["states"]
    assert len(lost.rows) == states["late"] + states["missed"]


def test_continuity_of_the_worked_warehouse_is_that_of_the_oracle(golden):
    """Few of its messages are logged as delivered, so its e-mail counts as degraded."""
    seen = world(read_folder(CASES / "golden"), View(as_of=f"{MARCH_10:%Y-%m-%dT%H:%M:%SZ}"))
    want = continuity.fates(seen, continuity.quarters([seen], OBJECTIVE, FEWEST))
    (found,) = read(golden, "channel_continuity", as_of=MARCH_10)
    assert (found.numerator, found.denominator) == (want["rerouted"], sum(want.values()))
