"""Homes to test on: one small simulated enterprise a session, and fresh empty ones."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from app.govern.admissibility import Contracts
from app.govern.demo import fill
from app.govern.open import Door, store_of
from app.govern.watch import Watch
from app.measure import demo
from app.measure.ledger_readings import LedgerReadings
from app.measure.readings import Readings
from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data import ledger_store
from data.demo import demo_targets
from metrics import ROLLUPS
from tests import postgres
from tests.cases import lane

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)

hypothesis.settings.register_profile("default", max_examples=40, deadline=None, derandomize=True)
hypothesis.settings.register_profile("fuzz", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def clock() -> dt.datetime:
    return NOW


def refreshed(runtime: Runtime, *, full: bool = False) -> Runtime:
    refresh(ROLLUPS.values(), runtime.warehouse, runtime.store, clock, full=full)
    return runtime


@pytest.fixture
def empty(tmp_path: Path) -> Runtime:
    """A runtime on an empty home."""
    return open_runtime(Settings(home=tmp_path / "home"))


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Runtime]:
    """Load files given as table -> CSV text, refresh, and return the runtime."""
    from data.load.tables import load_tables

    def load(home: str = "home", **tables: str) -> Runtime:
        runtime = open_runtime(Settings(home=tmp_path / home))
        for name, text in tables.items():
            file = tmp_path / f"{home}-{name}-{len(text)}-{abs(hash(text))}.csv"
            file.write_text(text)
            for report in load_tables(runtime.lake, name, [file], now=NOW):
                assert report.outcome != "refused", report.message()
        return refreshed(runtime)

    return load


@pytest.fixture(scope="session")
def enterprise(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """A small simulated enterprise, loaded and refreshed. Read only."""
    runtime = open_runtime(Settings(home=tmp_path_factory.mktemp("enterprise")))
    demo.write(runtime, NOW, days=35, persons=800, seed=11)
    return refreshed(runtime)


@pytest.fixture(scope="session")
def governed(enterprise: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Readings:
    """The same enterprise with the ledger of the demo beside it. Read only.

    The ledger lies in a home of its own, so that its contracts withhold nothing from what others read.
    """
    settings = Settings(home=tmp_path_factory.mktemp("governed"))
    (settings.home / "targets.toml").write_text(demo_targets())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        fill(settings, NOW)
    door = Door(settings, clock)
    watch = Watch(door, enterprise.readings, clock)
    promised = Contracts(door, enterprise.lake, enterprise.warehouse, clock)
    ledger = LedgerReadings(lambda: store_of(settings), clock, watch.bounds, promised.states)
    return Readings(enterprise.warehouse, enterprise.store, ledger=ledger)


@pytest.fixture(scope="session")
def pg() -> Iterator[str]:
    """The URL of a real PostgreSQL server."""
    lane("PostgreSQL (apt-get install postgresql)", postgres.binaries() is not None)
    with postgres.server() as url:
        yield url
