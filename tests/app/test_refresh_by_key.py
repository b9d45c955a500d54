"""A refresh of single rows: it is taken, and gives the digits of a full one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from app.measure import store as stores
from app.measure.readings import Readings
from app.measure.refresh import Outcome, refresh
from app.runtime import Runtime, open_runtime
from data.lake import Lake
from metrics import ALL, ROLLUPS
from metrics.core.metric import Metric, Scope
from tests.compare import differences, everything
from tests.conftest import NOW, clock
from tests.metrics.homes import loaded_into

STATES = ROLLUPS["activation.states"]
KEYS = [k for k, m in ALL.items() if m.rollup is STATES]
DAYS = 40  # two months and a bit


def signals(first: int, last: int, persons: int = 9) -> str:
    rows = (
        f"s{d}-{p},p{p},m{p % 2},hot,activate,treatment,{at(d, p)},3600,5"
        for d in range(first, last)
        for p in range(persons)
    )
    head = "signal_id,person_id,model_id,signal_name,decision,arm,scored_at,window_seconds,expected_value"
    return "\n".join([head, *rows]) + "\n"


def at(day: int, hour: int) -> str:
    return (dt.datetime(2026, 8, 20, hour, tzinfo=dt.UTC) + dt.timedelta(days=day)).isoformat()


def stops(*said: tuple[int, int]) -> str:
    head = "suppression_event_id,person_id,trigger_type,action,origin_channel,scope_channels,scope_purpose,effective_at"
    rows = (f"x{d}-{p},p{p},opt_out,suppress,email,*,marketing,{at(d, p)}" for d, p in said)
    return "\n".join([head, *rows]) + "\n"


def outcomes(*won: tuple[str, int, int]) -> str:
    rows = (f"{i},p{p},purchase,{at(d, p + 1)},10" for i, d, p in won)
    return "\n".join(["outcome_id,person_id,outcome_type,occurred_at,revenue", *rows]) + "\n"


def watermark(day: int) -> str:
    return f"source,complete_through_at\nall,{at(day, 0)}\n"


def home(tmp_path: Path) -> Runtime:
    tables = {
        "signals": signals(0, DAYS), "suppression_events": stops((3, 1)), "outcomes": outcomes(("o1", 30, 2), ("o2", 30, 3)),
        "data_watermarks": watermark(DAYS),
    }  # fmt: skip
    return loaded_into(tmp_path / "home", tables, [STATES])


def later(runtime: Runtime, **tables: str) -> Outcome:
    """Load more and refresh; what that refresh did."""
    loaded_into(runtime.settings.home, tables, [], runtime)
    (outcome,) = refresh([STATES], runtime.warehouse, runtime.store, clock)
    return outcome


def same_as_full(runtime: Runtime) -> None:
    before = everything(runtime, KEYS)
    fresh = open_runtime(runtime.settings)
    refresh([STATES], fresh.warehouse, fresh.store, clock, full=True)
    assert differences(before, everything(fresh, KEYS)) == []


def test_one_opt_out_moves_the_signals_of_one_person_and_computes_no_day_whole(tmp_path):
    runtime = home(tmp_path)
    done = later(runtime, suppression_events=stops((DAYS - 1, 5)))
    assert (done.full, done.days, done.keys) == (False, 0, DAYS)
    same_as_full(runtime)


def test_a_new_day_of_signals_is_computed_whole_and_the_signals_it_moves_one_by_one(tmp_path):
    runtime = home(tmp_path)
    new = {"signals": signals(DAYS, DAYS + 1), "suppression_events": stops((DAYS, 4), (DAYS, 6))}
    done = later(runtime, **new, data_watermarks=watermark(DAYS + 1))
    assert done.days == 1
    assert 2 * DAYS <= (done.keys or 0) < 3 * DAYS
    same_as_full(runtime)


def test_an_outcome_that_turns_out_to_be_another_persons_moves_the_signals_of_both(tmp_path):
    runtime = home(tmp_path)
    done = later(runtime, outcomes=outcomes(("o1", 30, 7)))  # the file with p2's outcome is written again
    assert done.keys == 2 * DAYS
    same_as_full(runtime)


def test_files_replaced_twice_between_two_refreshes_give_the_same_digits(tmp_path):
    runtime = home(tmp_path)
    loaded_into(runtime.settings.home, {"outcomes": outcomes(("o1", 30, 7))}, [], runtime)
    runtime.lake.sweep(grace_seconds=0)
    done = later(runtime, outcomes=outcomes(("o1", 20, 8)))
    assert done.keys == 2 * DAYS
    same_as_full(runtime)


def test_files_that_cells_have_left_behind_are_swept(tmp_path):
    runtime = home(tmp_path)
    before = {f.path for f in runtime.lake.manifest.files("facts", "outcomes")}
    loaded_into(runtime.settings.home, {"outcomes": outcomes(("o1", 30, 7))}, [], runtime)
    runtime.lake.sweep(grace_seconds=0)
    assert all((runtime.settings.home / p).exists() for p in before)
    refresh([STATES], runtime.warehouse, runtime.store, clock)
    Lake(runtime.settings.home).sweep(grace_seconds=0)
    assert not all((runtime.settings.home / p).exists() for p in before)


def test_a_load_while_a_refresh_runs_is_left_to_the_next_one(tmp_path):
    """The cells are of one state of the lake, so the next difference starts from just that state."""
    runtime = home(tmp_path)
    pinned = runtime.warehouse.pinned()
    loaded_into(runtime.settings.home, {"suppression_events": stops((DAYS - 1, 5))}, [], runtime)
    refresh([STATES], pinned, runtime.store, clock, full=True)
    assert later(runtime, suppression_events=stops((DAYS - 1, 6))).keys == 2 * DAYS
    same_as_full(runtime)


def test_many_differences_and_their_compaction_change_no_reading(tmp_path, monkeypatch):
    runtime = home(tmp_path)
    monkeypatch.setattr(stores, "MANY_ROWS", 10.0)
    monkeypatch.setattr(stores, "MANY_FILES", 3)
    most = 0
    for day in range(10, 16):
        later(runtime, suppression_events=stops((day, day % 9)))
        files = runtime.store.files(STATES.key)
        most = max(most, *(sum(f.day == g.day for f in files) for g in files))
    assert most == 3
    same_as_full(runtime)


def test_cells_of_an_older_definition_are_no_readings(tmp_path):
    runtime = home(tmp_path)
    newer: Metric = dataclasses.replace(
        ALL["activation.signals"], rollup=dataclasses.replace(STATES, version=STATES.version + 1)
    )
    (reading,) = Readings(runtime.warehouse, runtime.store).read(newer, Scope())
    assert (reading.value, reading.reason) == (None, "computed under an older definition: run refresh")
    other: Metric = dataclasses.replace(newer, rollup=dataclasses.replace(STATES, dims=STATES.dims[:-1]))
    assert Readings(runtime.warehouse, runtime.store).read(other, Scope())[0].value is None
    assert runtime.readings.read(ALL["activation.signals"], Scope())[0].value == 9 * DAYS


def test_what_was_known_at_a_time_is_observed_no_later_than_that(tmp_path):
    runtime = home(tmp_path)
    later(runtime, data_watermarks=f"source,complete_through_at\nall,{NOW + dt.timedelta(minutes=4)}\n")
    asked = NOW + dt.timedelta(minutes=1)
    assert runtime.readings._observed_us(STATES, Scope(as_of=asked)) == round(asked.timestamp() * 1e6)


@pytest.mark.parametrize("state", ["missed", "competing_suppressed"])
def test_a_signal_that_left_a_state_is_no_cell_of_it(tmp_path, state):
    runtime = home(tmp_path)
    later(runtime, suppression_events=stops(*((DAYS - 1, p) for p in range(9))))
    (reading,) = runtime.readings.read(ALL["activation.signals"], Scope(where=(("state", state),)))
    assert reading.value == (None if state == "missed" else 9 * DAYS - 2 * 31)
    if state == "missed":
        assert "no row matches" in reading.reason
