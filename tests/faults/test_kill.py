"""kill -9 of the loader and of refresh at random instants: readers never see a partial number, the next run repairs."""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.load.tables import load_tables
from metrics import ALL, ROLLUPS
from metrics.core.metric import Scope
from tests.cases import ROOT, SOAK
from tests.conftest import NOW
from tests.engines.homes import computed

KILLS = 50 if SOAK else 3  # make soak runs all fifty, and every rollup
KEYS = tuple(k for k, r in ROLLUPS.items() if r.stored and (SOAK or "predictions" in r.tables))
OLD, NEW = 4_000, 60_000
FLOOR = 0.02  # seconds
CHILD = """
import sys, datetime as dt
from pathlib import Path
from app.measure.refresh import refresh
from app.runtime import open_runtime
from app.settings import Settings
from data.load.tables import load_tables
from metrics import ROLLUPS
home, what, file, keys = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
runtime = open_runtime(Settings(home=home))
now = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
print("ready", flush=True)
sys.stdin.readline()
if what == "load":
    assert load_tables(runtime.lake, "predictions", [file], now=now)[0].outcome in ("loaded", "nothing new")
else:
    refresh([ROLLUPS[k] for k in keys], runtime.warehouse, runtime.store, lambda: now)
print("done", flush=True)
"""


def predictions(first: int, last: int) -> str:
    rows = (
        f"p{i},m{i % 3},e{i % 97},2026-10-{1 + i % 20:02d}T{i % 24:02d}:00:00Z,{(i % 999) / 1000},{'ab'[i % 2]}"
        for i in range(first, last)
    )
    return "prediction_id,model_id,entity_id,predicted_at,score,attr_region\n" + "\n".join(rows) + "\n"


def child(home: Path, what: str, file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), what, str(file), *KEYS],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.stderr.read() if process.stderr else ""
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def total(runtime: Runtime) -> int:
    readings = runtime.readings.read(ALL["model.predictions"], Scope())
    return sum(int(r.value) for r in readings if r.value is not None)


def facts(runtime: Runtime) -> int:
    return sum(f.rows for f in runtime.lake.manifest.files("facts", "predictions"))


class Watch:
    """A reader in a thread of its own that writes down every number it sees that may not be."""

    def __init__(self, look: Callable[[], int], allowed: set[int]) -> None:
        self.look, self.allowed, self.wrong, self.seen = look, allowed, [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            value = self.look()
            self.seen += 1
            if value not in self.allowed:
                self.wrong.append(value)
            time.sleep(0.01)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(predictions(0, OLD))
    second.write_text(predictions(OLD, NEW))
    return first, second


@pytest.mark.slow
@pytest.mark.parametrize("what", ["load", "refresh"])
def test_fifty_kills_lose_nothing_and_show_nothing_partial(
    what: str, tmp_path: Path, files: tuple[Path, Path]
):
    start = tmp_path / "start"
    prepare(start, what, files)
    shutil.copytree(start, tmp_path / "whole")
    bound = whole_run(what, tmp_path / "whole", files[1])
    dice = random.Random(1)
    kills = before = 0
    for turn in range(KILLS):
        home = tmp_path / f"home-{turn}"
        shutil.copytree(start, home)
        runtime = open_runtime(Settings(home=home))
        look = functools.partial(facts if what == "load" else total, runtime)
        process = child(home, what, files[1])
        with Watch(look, {OLD, NEW}) as watch:
            go(process)
            time.sleep(instant := dice.uniform(0, bound))
            os.kill(process.pid, signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        missed = look() == OLD
        before += missed
        bound = 1.3 * bound if missed else max(instant, FLOOR)  # aims at the commit, however busy the machine
        assert watch.wrong == []
        assert watch.seen
        repaired(runtime, files[1])
        shutil.rmtree(home)
    assert kills >= max(1, KILLS // 5)  # a run may end before its kill; those tell nothing
    assert before >= max(1, KILLS // 10)  # many kills really came before the commit


def prepare(home: Path, what: str, files: tuple[Path, Path]) -> None:
    """A home at OLD rows, with the new ones still to load or already loaded and still to refresh."""
    runtime = open_runtime(Settings(home=home))
    load_tables(runtime.lake, "predictions", [files[0]], now=NOW)
    computed(runtime, KEYS)
    if what == "refresh":
        load_tables(runtime.lake, "predictions", [files[1]], now=NOW)


def repaired(runtime: Runtime, second: Path) -> None:
    """The next run finishes the work; nothing is doubled, damaged or left lying about."""
    load_tables(runtime.lake, "predictions", [second], now=NOW)
    computed(runtime, KEYS)
    assert (facts(runtime), total(runtime)) == (NEW, NEW)
    assert runtime.lake.damaged() == []
    runtime.lake.sweep(grace_seconds=0)
    on_disk = {str(p.relative_to(runtime.lake.home)) for p in runtime.lake.home.rglob("*.parquet*")}
    assert on_disk == {f.path for s in ("facts", "rollups") for f in runtime.lake.manifest.files(s)}


def whole_run(what: str, home: Path, second: Path) -> float:
    """How long an undisturbed run takes: the bound of the random instants."""
    process = child(home, what, second)
    started = time.perf_counter()
    go(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n", process.stderr.read() if process.stderr else ""
    process.wait()
    return time.perf_counter() - started
