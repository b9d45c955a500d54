"""Signals: what the person-facing models said, to whom, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.directory import Directory
from data.demo.draws import SECOND, Bools, Floats, Ints, World
from data.demo.experiments import Assignment
from data.demo.frames import Frame, planted, spread
from data.demo.predictions import Drawn
from data.demo.routes import HOUR, ROUTES, Route
from data.demo.specs import ModelSpec

ACTIVATE, HOLD_OUT, SUPPRESS, NO_ACTION = range(4)
_DECISIONS = ("activate", "hold_out", "suppress", "no_action")
_TESTS, _UNLINKED, _UNVALUED = 0.008, 0.015, 0.01
WEEK = 7 * 24 * 3600 * SECOND


@dataclass(frozen=True)
class Signals(Frame):
    """Signals of all routes. `twin` numbers the earlier signal that a re-scoring repeats, else -1."""

    route: Ints
    number: Ints
    person: Ints
    record: Ints
    node: Ints
    at: Ints
    loaded: Ints
    score: Floats
    release: Ints
    stale: Ints
    value: Floats
    decision: Ints
    held_out: Bools
    test: Bools
    unlinked: Bools
    twin: Ints

    def ids(self, index: Ints | None = None) -> pa.Array:
        prefixes = [f"{r.model_id}-s-" for r in ROUTES]
        every = slice(None) if index is None else index
        return files.coded(prefixes, self.route[every], self.number[every])

    def window(self) -> Ints:
        """Engagement windows, microseconds."""
        return np.array([int(r.window * SECOND) for r in ROUTES])[self.route]

    def acts(self) -> Bools:
        """Signals that are meant to lead to a marketing message."""
        meant: Bools = (self.decision == ACTIVATE) & ~self.held_out & ~self.unlinked
        return meant


def signals_of(
    world: World, book: Directory, route: Route, spec: ModelSpec, drawn: Drawn, trial: Assignment | None
) -> Signals:
    """Signals of one route: all scores at or above the threshold and a sample of those below."""
    draw = world.stream(f"signals {route.model_id}")
    flagged = drawn.score >= spec.threshold
    watched = ~flagged & (drawn.score >= 0) & (draw.random(flagged.size) < route.watched)
    kept = drawn.rows(np.flatnonzero(flagged | watched))
    n = kept.at.size
    wanted = kept.score >= spec.threshold
    record = book.some_record(draw, kept.person)
    held_out = _held_out(world, kept, trial)
    acted = SUPPRESS if route.held else ACTIVATE
    unvalued = draw.random(n) < _UNVALUED
    value = np.where(unvalued, np.nan, np.round(kept.score * route.value, 2))
    test = planted(draw, n, _TESTS)
    first = Signals(
        np.full(n, ROUTES.index(route)), np.arange(n), kept.person, record, book.node[record], kept.at, kept.loaded,
        kept.score, kept.release,
        np.minimum(spread(draw, n, route.stale_hours * HOUR, 0.6), WEEK),
        value, np.where(wanted, np.where(held_out, HOLD_OUT, acted), NO_ACTION), held_out, test,
        planted(draw, n, _UNLINKED) & ~test, np.full(n, -1),
    )  # fmt: skip
    return _with_rescored(world, draw, route, first)


def _held_out(world: World, drawn: Drawn, trial: Assignment | None) -> Bools:
    """People of the comparison arm are held out from their enrolment on."""
    if trial is None:
        return np.zeros(drawn.at.size, np.bool_)
    since = np.full(world.persons, world.end)
    since[trial.person[~trial.treated]] = trial.at[~trial.treated]
    return since[drawn.person] <= drawn.at


def _with_rescored(world: World, draw: np.random.Generator, route: Route, first: Signals) -> Signals:
    """Some signals are scored again minutes later and led by the same message."""
    if route.rescored == 0:
        return first
    open_ = np.flatnonzero(first.acts() & ~first.test)
    origin = open_[planted(draw, open_.size, route.rescored)]
    again = first.rows(origin)
    wait = draw.integers(5 * SECOND, 20 * SECOND, origin.size)
    at = again.at + wait
    fields = {name: getattr(again, name) for name in again.__dataclass_fields__}
    fields |= {
        "number": len(first) + np.arange(origin.size),
        "at": at,
        "loaded": again.loaded + wait,
        "twin": origin,
    }
    fields["score"] = np.minimum(again.score * 1.02, 1.0)
    second = Signals(**fields)
    kept = second.loaded < world.end
    return Signals.stack([first, second.rows(kept)])


def stacked(parts: list[Signals]) -> Signals:
    """Signals of several routes as one; twins keep pointing at their rows."""
    offset, moved = 0, []
    for part in parts:
        fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
        fields["twin"] = np.where(part.twin >= 0, part.twin + offset, -1)
        moved.append(Signals(**fields))
        offset += len(part)
    return Signals.stack(moved)


def signal_table(book: Directory, specs: dict[str, ModelSpec], signals: Signals) -> pa.Table:
    """The `signals` table."""
    names = [f"{r.model_id} {v.version}" for r in ROUTES for v in specs[r.model_id].releases]
    starts = np.cumsum([0, *(len(specs[r.model_id].releases) for r in ROUTES)])[:-1]
    version = starts[signals.route] + signals.release
    n = len(signals)
    valued = ~np.isnan(signals.value)
    return pa.table(
        {
            "signal_id": signals.ids(),
            "person_id": files.known(book.person_ids(signals.node), ~signals.unlinked),
            "model_id": files.words([r.model_id for r in ROUTES], signals.route),
            "model_version": files.words([name.split()[1] for name in names], version),
            "signal_name": files.words([r.signal_name for r in ROUTES], signals.route),
            "score": pa.array(signals.score),
            "decision": files.words(_DECISIONS, signals.decision),
            "arm": files.words(("treatment", "holdout"), signals.held_out.astype(np.int64)),
            "scored_at": files.times(signals.at),
            "features_as_of": files.times(signals.at - signals.stale),
            "window_seconds": pa.array(np.array([r.window for r in ROUTES])[signals.route]),
            "expected_value": files.optional_floats(signals.value, valued),
            "currency": files.constant("USD", n),
            "is_test": pa.array(signals.test),
            "loaded_at": files.times(signals.loaded),
        }
    )
