"""The same digits from a Spark cluster, two executors in JVMs of their own, and when one of them is killed."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator

import pytest

from app.runtime import Runtime
from tests import spark
from tests.cases import SOAK, lane, needs_cases
from tests.engines import homes

pytestmark = [pytest.mark.spark, needs_cases, pytest.mark.filterwarnings("ignore::FutureWarning")]
KEYS = homes.STORED if SOAK else ("identity.signals", "suppression.consents")


@pytest.fixture(scope="module")
def lane_open() -> Iterator[None]:
    if not spark.java():
        pytest.skip("Java is absent, so Spark was not run (apt-get install openjdk-17-jre-headless)")
    lane("PySpark (make test-spark installs it)", spark.installed())
    yield
    spark.stop()


@pytest.fixture(scope="module")
def pair(lane_open: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Runtime, Runtime]]:
    """The golden warehouse in the lake and on Spark, both refreshed."""
    lake = homes.golden(tmp_path_factory.mktemp("golden"))
    homes.computed(lake, KEYS)
    url = spark.url("golden")
    rows = spark.mirror(lake.lake, url, "golden", homes.read_by(KEYS))
    held = homes.twin(url, "golden", tmp_path_factory.mktemp("spark"))
    homes.computed(held, KEYS)
    yield lake, held
    shutil.rmtree(rows, ignore_errors=True)


def test_there_are_two_executors_in_processes_of_their_own(pair):
    assert len(spark.executors()) == 2


def test_every_cell_of_the_worked_warehouse_has_the_same_nine_digits(pair):
    lake, held = pair
    assert homes.cells(lake, KEYS) > 0
    assert homes.unlike(lake, held, KEYS) == []


def test_an_executor_killed_in_mid_refresh_changes_no_digit(pair):
    lake, held = pair
    killed: list[int] = []
    watcher = threading.Thread(target=_kill_when_busy, args=(killed,))
    watcher.start()
    homes.computed(held, KEYS, full=True)
    watcher.join()
    assert killed
    assert homes.unlike(lake, held, KEYS) == []


def _kill_when_busy(killed: list[int]) -> None:
    """Kill an executor as soon as a stage runs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if spark.busy():
            killed.append(spark.kill_one())
            return
        time.sleep(0.01)


@pytest.mark.skipif(not SOAK, reason="every rollup of a simulated enterprise: THROUGHLINE_SOAK=1")
def test_a_simulated_enterprise_has_the_same_nine_digits(enterprise, lane_open, tmp_path):
    url = spark.url("enterprise")
    rows = spark.mirror(enterprise.lake, url, "enterprise")
    held = homes.twin(url, "enterprise", tmp_path)
    homes.computed(held, homes.STORED)
    shutil.rmtree(rows, ignore_errors=True)
    assert homes.unlike(enterprise, held, homes.STORED) == []
