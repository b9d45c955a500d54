"""Write the whole demo as Parquet files that go through the ordinary loader."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import World, make_world
from data.demo.enterprise import INITIATIVES
from data.demo.experiments import Assignment, experiment_table
from data.demo.journeys import Journeys, Scored, journeys
from data.demo.predictions import ModelData, model_tables
from data.demo.reviews import review_table
from data.demo.routes import ROUTES
from data.demo.specs import Initiative, ModelSpec
from data.demo.truth import DemoTruth, ExperimentTruth, ModelTruth, ReviewTruth


class _Book:
    """Tables and truth gathered initiative by initiative, in one order for one seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.parts: dict[str, list[pa.Table]] = {}
        self.models: list[ModelTruth] = []
        self.experiments: list[ExperimentTruth] = []
        self.reviews: list[ReviewTruth] = []
        self.drawn: dict[str, tuple[ModelSpec, ModelData]] = {}
        self.trials: dict[str, Assignment] = {}

    def add(self, initiative: Initiative) -> None:
        """Simulate everything one initiative leaves in the warehouse."""
        for model in initiative.models:
            data = model_tables(self.world, model)
            self._keep("predictions", data.predictions)
            self._keep("labels", data.labels)
            self.models.append(data.truth)
            self.drawn[model.model_id] = model, data
        for experiment in initiative.experiments:
            units, experiment_truth, arms = experiment_table(self.world, experiment)
            self.trials[experiment.experiment_id] = arms
            self._keep("experiment_units", units)
            self.experiments.append(experiment_truth)
        for programme in initiative.reviews:
            reviews, review_truth = review_table(self.world, programme)
            self._keep("reviews", reviews)
            self.reviews.append(review_truth)

    def follow(self) -> Journeys:
        """Simulate what became of the scores of the person-facing models: after all initiatives were added."""
        scored = {}
        for route in ROUTES:
            spec, data = self.drawn[route.model_id]
            scored[route.model_id] = Scored(spec, data.drawn, self.trials.get(route.experiment or ""))
        found = journeys(self.world, scored)
        for name, part in found.tables.items():
            self._keep(name, part)
        return found

    def _keep(self, table: str, part: pa.Table) -> None:
        self.parts.setdefault(table, []).append(part)


def write_demo(
    folder: Path, *, until: dt.date, days: int = 180, persons: int = 20_000, seed: int = 7
) -> DemoTruth:
    """Write `<folder>/<table>.parquet` for each simulated table, `truth.json` and `truth_*.arrow`; returns the truth.

    The demo covers `days` whole UTC days, the last of them `until`; no time in it, also no load time, lies
    after that day, but for plans (`scheduled_for`, `expires_at`). Tables of truth are Arrow files: the loader
    takes Parquet, so they are never loaded. The same arguments give the same bytes. Raises ValueError for days,
    persons or seed out of range.
    """
    world = make_world(until, days, persons, seed)
    folder.mkdir(parents=True, exist_ok=True)
    book = _Book(world)
    for initiative in INITIATIVES:
        book.add(initiative)
    found = book.follow()
    rows = [(name, files.write(folder, name, parts)) for name, parts in sorted(book.parts.items())]
    names = [name for name, count in rows if count]
    rows.append(("data_watermarks", files.write(folder, "data_watermarks", [_watermarks(world, names)])))
    truth = DemoTruth(
        until.isoformat(), days, persons, seed,
        tuple(book.models), tuple(book.experiments), tuple(book.reviews), found.truth, tuple(rows),
    )  # fmt: skip
    for name, table in sorted(found.truth_tables.items()):
        files.write_truth(folder, name, table)
    (folder / "truth.json").write_text(truth.to_json(), encoding="utf-8")
    return truth


def _watermarks(world: World, sources: list[str]) -> pa.Table:
    """Every source is complete to the end of the demo."""
    at = np.full(len(sources), world.end - 1, np.int64)
    return pa.table(
        {
            "source": pa.array(sources, pa.string()),
            "complete_through_at": files.times(at),
            "loaded_at": files.times(at),
        }
    )
