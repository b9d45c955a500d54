"""A home of three years, 200 initiatives, 20 models and 20 channels, made from the demo's own cells: for benchmarks.

Cells are copied in time and under other names, and written through the store's own write seam, as a refresh writes them.
Initiatives, owners, risks and targets are written by commands. The facts stay those of the demo: pages that ask the
warehouse itself are measured on its QUARTER, not on three years.
"""

from __future__ import annotations

import datetime as dt
import os
import string
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.govern import demo as diary
from app.govern.commands import execute_all, values_of
from app.govern.demo_acts import by, person
from app.govern.model import Add, Ledger
from app.govern.open import open_ledger
from app.measure import demo
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings
from data import ledger_store
from metrics import ROLLUPS
from metrics.core.metric import Rollup
from tests.conftest import refreshed

QUARTER, QUARTERS, PERSONS = 91, 12, 1_500
MODELS, CHANNELS, INITIATIVES = 20, 20, 200
NAMES = {"model_id": MODELS, "channel": CHANNELS, "initiative_id": INITIATIVES, "experiment_id": 20}
DATED = ("on", "date")  # inner keys that hold a day themselves
OWNERS = ("mira", "jonas", "elena", "priya")
STAGES = ("hypothesis", "data reality", "pilot", "production", "scale", "sustain")


@contextmanager
def given_or_made() -> Iterator[Path]:
    """The home that THROUGHLINE_BENCH_HOME names, or one for this run; filled if it is not."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(os.environ.get("THROUGHLINE_BENCH_HOME") or folder)
        if not (given / "control.sqlite").exists():
            home(given)
        yield given


def home(folder: Path) -> Runtime:
    """The whole home, made where nothing is yet."""
    runtime = open_runtime(Settings(home=folder))
    demo.write(runtime, utc_now(), days=QUARTER, persons=PERSONS, seed=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        diary.fill(runtime.settings, utc_now())
        refreshed(runtime)
        for rollup in ROLLUPS.values():
            if rollup.stored:
                grow(runtime, rollup)
        govern(runtime)
    return runtime


def names_of(base: list[str], wanted: int) -> list[str]:
    """As many names as wanted, the given ones first: churn_v3, then churn_v3-b and so on."""
    more = (f"{name}-{letter}" for letter in _letters() for name in base)
    return (base + [next(more) for _ in range(max(wanted - len(base), 0))])[:wanted]


def _letters() -> Iterator[str]:
    yield from string.ascii_lowercase[1:]
    yield from (a + b for a in string.ascii_lowercase for b in string.ascii_lowercase)


def grow(runtime: Runtime, rollup: Rollup[object]) -> None:
    """Write a rollup's cells anew: the demo's quarter twelve times over, under every name."""
    store = runtime.store
    files, state = store.files(rollup.key), store.state(rollup.key)
    if not files or state is None:
        return
    dims = store.dims(rollup)
    cells = pa.concat_tables(pq.read_table(runtime.lake.home / f.path, partitioning=None) for f in files)
    cells = pa.table({n: _plain(cells[n]) for n in cells.column_names})
    for name in set(dims) & set(NAMES):
        cells = _renamed(cells, name, NAMES[name])
    whole = [_earlier(cells, quarter * QUARTER) for quarter in range(QUARTERS)]
    days = np.unique(np.concatenate([t["day"].to_numpy() for t in whole])).tolist()
    add, gone, rows = store.replace(rollup, dims, [pa.concat_tables(whole)], days, full=True)
    store.lake.manifest.commit_rollup(add, gone, replace(state, days=len(days), rows=rows))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _renamed(cells: pa.Table, name: str, wanted: int) -> pa.Table:
    """The cells once for each round of names; those without a name stay as they are."""
    base = sorted({v for v in cells[name].unique().to_pylist() if v})
    every = names_of(base, wanted) if base else []
    at = cells.column_names.index(name)
    parts = [cells]
    for turn in range(1, -(-len(every) // max(len(base), 1))):
        other = dict(zip(base, every[turn * len(base) :], strict=False))
        held = cells.filter(pa.array([v in other for v in cells[name].to_pylist()]))
        parts.append(
            held.set_column(at, name, pa.array([other[v] for v in held[name].to_pylist()], pa.string()))
        )
    return pa.concat_tables(parts)


def _earlier(cells: pa.Table, days: int) -> pa.Table:
    """The same cells so many days before."""
    for name in ("day", *DATED):
        if name in cells.column_names:
            moved = pa.array(cells[name].to_numpy() - days, cells.schema.field(name).type)
            cells = cells.set_column(cells.column_names.index(name), name, moved)
    return cells


def govern(runtime: Runtime) -> None:
    """Initiatives up to INITIATIVES, each with an owner, two risks and, where it has a model, a target."""
    ledger = open_ledger(runtime.settings, utc_now)
    held = [i.slug for i in diary.INITIATIVES]
    models = names_of([m.model_id for i in diary.INITIATIVES for m in i.models], MODELS)
    slugs = names_of(held, INITIATIVES)[len(held) :]
    for begin in range(0, len(slugs), 50):
        some = slugs[begin : begin + 50]
        _all(
            ledger,
            f"initiatives-{begin}",
            tuple(_initiative(s, begin + n, models) for n, s in enumerate(some)),
        )
        _all(ledger, f"ownership-{begin}", tuple(_owned(s, n) for n, s in enumerate(some) if n % 20))
        _all(ledger, f"risks-{begin}", tuple(_risk(s, n) for n, s in enumerate(some) for _ in range(2)))
    aims = tuple(
        _target(m, key, least)
        for m in models
        for key, least in (("model.auc", 0.7), ("model.precision", 0.3))
    )
    _all(ledger, "targets", aims)


def _all(ledger: Ledger, key: str, commands: tuple[Add, ...]) -> None:
    execute_all(ledger, commands, by("hanna"), f"years-{key}")


def _initiative(slug: str, n: int, models: list[str]) -> Add:
    return Add("initiatives", values_of(
        title=f"{slug.replace('-', ' ').capitalize()} for region {n}", hypothesis="If it is known sooner, less is lost.",
        outcome="Less is lost.", sponsor=person(OWNERS[n % 4]), stage=STAGES[n % 6], materiality=f"tier {1 + n % 3}",
        layer="models", model_ids=(models[n % len(models)],), started=dt.date(2025, 1, 1),
    ), slug)  # fmt: skip


def _owned(slug: str, n: int) -> Add:
    return Add("ownership", values_of(
        initiative=slug, accountable=person(OWNERS[n % 4]), authority="Holds the budget", since=dt.date(2025, 1, 1),
        review_days=90, next_review=utc_now().date() + dt.timedelta(days=n - 3),
    ))  # fmt: skip


def _risk(slug: str, n: int) -> Add:
    return Add("risks", values_of(
        initiative=slug, title=f"Scores go stale in {slug}", cause="Drift", event="Scores are wrong", consequence="Loss",
        category="model performance", inherent_likelihood=1 + n % 5, inherent_impact=4, residual_likelihood=1 + n % 3,
        residual_impact=3, treatment="mitigate", owner=person(OWNERS[n % 4]),
        next_review=utc_now().date() + dt.timedelta(days=30),
    ))  # fmt: skip


def _target(model: str, metric: str, least: float) -> Add:
    return Add("targets", values_of(
        metric=metric, comparator="at least", threshold=least, scope=(f"model_id={model}",), valid_from=dt.date(2025, 1, 1),
        owner=person("hanna"),
    ))  # fmt: skip
