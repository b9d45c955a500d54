"""Delivery by hand: medians with what is still waiting, deployments between the first and the last, failures."""

from __future__ import annotations

import pytest

from app.measure.refresh import refresh
from app.runtime import Runtime
from metrics import ALL
from metrics._delivery_changes import CHANGES
from metrics._delivery_waits import WAITS
from metrics.core.metric import Reading, Scope
from tests.conftest import clock
from tests.metrics.homes import loaded_into

DAY = 86_400
HEAD = "delivery_id,initiative_id,event,event_at,ref\n"
MARK = "source,complete_through_at\nall,2026-10-01T00:00:00Z\n"
EVENTS = (
    ("a", "idea", 1), ("a", "pilot_started", 3), ("a", "production", 11),
    ("b", "idea", 1), ("b", "pilot_started", 5), ("b", "production", 21),
    ("c", "idea", 1), ("c", "pilot_started", 11),  # a pilot that is still one: followed for 20 days
    ("a", "deployment", 11), ("a", "deployment", 18), ("a", "deployment_failed", 18), ("a", "deployment", 25),
    ("a", "incident", 18, "x"), ("a", "incident", 19, "y"), ("a", "restored", 20, "y"), ("a", "restored", 21, "x"),
)  # fmt: skip


def csv(events: tuple[tuple[object, ...], ...], prefix: str = "d") -> str:
    return HEAD + "".join(
        f"{prefix}{i},{e[0]},{e[1]},2026-09-{e[2]:02d}T00:00:00Z,{e[3] if len(e) > 3 else ''}\n"
        for i, e in enumerate(events)
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    tables = {"delivery_events": csv(EVENTS), "data_watermarks": MARK}
    return loaded_into(tmp_path_factory.mktemp("delivery") / "home", tables, (WAITS, CHANGES))


def read(runtime: Runtime, name: str, **settings: str) -> Reading:
    (found,) = runtime.readings.read(ALL[f"delivery.{name}"], Scope(settings=tuple(settings.items())))
    return found


def test_medians_count_what_is_still_under_way(home: Runtime):
    assert read(home, "idea_to_pilot_median").value == 4 * DAY  # 2, 4 and 10 days
    pilot = read(home, "pilot_to_production_median")
    assert pilot.value == 16 * DAY  # 8, 16 and more than 20: the median of the two finished would be 8
    assert (pilot.n, pilot.numerator) == (3, 2)
    assert read(home, "lead_time_median").value == 20 * DAY


def test_an_incident_is_mended_by_its_own_end(home: Runtime):
    found = read(home, "time_to_restore_median")
    assert (found.value, found.n) == (DAY, 2)  # y took 1 day, x took 3


def test_pilots_in_production_by_an_age(home: Runtime):
    assert read(home, "pilots_in_production", days="10").value == pytest.approx(1 / 3)
    assert read(home, "pilots_in_production", days="16").value == pytest.approx(2 / 3)
    assert "followed for 90 days" in read(home, "pilots_in_production").reason
    with pytest.raises(ValueError, match="number of days above 0"):
        read(home, "pilots_in_production", days="soon")


def test_deployments_are_counted_between_the_first_and_the_last(home: Runtime):
    rate = read(home, "deployments_per_week")
    assert rate.value == pytest.approx(1.5)  # three after the first one, in two weeks
    assert (rate.low, rate.high) == pytest.approx((0.6187 / 2, 8.7673 / 2), abs=1e-4)  # Garwood's limits of 3
    failed = read(home, "change_failure_rate")
    assert (failed.numerator, failed.denominator) == (1, 4)


def test_an_end_that_arrives_later_moves_the_day_of_its_beginning(tmp_path):
    tables = {"delivery_events": csv(EVENTS), "data_watermarks": MARK}
    late = loaded_into(tmp_path / "home", tables, (WAITS,))
    loaded_into(tmp_path / "home", {"delivery_events": csv((("c", "production", 29),), "e")}, (WAITS,), late)
    assert read(late, "pilot_to_production_median").numerator == 3
    grown = read(late, "lead_time_median")
    refresh((WAITS,), late.warehouse, late.store, clock, full=True)
    assert read(late, "lead_time_median").value == grown.value == 20 * DAY


def test_milestones_that_never_came_say_so(tmp_path):
    bare = loaded_into(
        tmp_path / "home",
        {"delivery_events": csv((("a", "idea", 1),)), "data_watermarks": MARK},
        (WAITS, CHANGES),
    )
    assert "not reached" in read(bare, "lead_time_median").reason
    assert "no pilot has begun" in read(bare, "pilots_in_production").reason
    assert read(bare, "deployments_per_week").value is None
