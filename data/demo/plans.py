"""Planned messages: the way of every signal through the hops, as it would be if nobody had said stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.directory import Directory
from data.demo.draws import SECOND, Bools, Floats, Ints, World
from data.demo.frames import (
    Frame,
    after_work,
    daylight,
    next_run,
    planted,
    seconds,
    span_of,
    spread,
    waits,
)
from data.demo.routes import CHANNELS, EXPORT_DOWN, MARKETING, ROUTES, SERVICE, Mix, Route
from data.demo.signals import Signals

CAMPAIGNS = (*(r.campaign_id for r in ROUTES), "orders", "legal_notices", "stop_confirmation")
ORDERS, LEGAL_NOTICES, STOP_CONFIRMATION = range(len(ROUTES), len(ROUTES) + 3)
_SKEWED, _BROKEN = 0.004, 0.0015  # sent up to 5 s, and more, before the scoring: clocks that disagree


@dataclass(frozen=True)
class Plans(Frame):
    """Messages as planned. `signal` is the row of the signal, -1 for messages without one. `step` counts from 0."""

    signal: Ints
    campaign: Ints
    step: Ints
    person: Ints
    record: Ints
    node: Ints
    channel: Ints
    purpose: Ints
    made: Ints
    due: Ints
    test: Bools


@dataclass(frozen=True)
class Hops(Frame):
    """The hops of the first message of each signal; `low` and `high` bound an export known by its run only."""

    exported: Ints
    low: Ints
    high: Ints
    synced: Ints
    eligible: Ints
    approved: Ints
    queued: Ints
    manual: Bools
    batch: Bools


def planned(
    world: World, book: Directory, route: Route, signals: Signals, rows: Ints
) -> tuple[Plans, Hops, list[Plans]]:
    """First messages of one route for the signals in `rows`, their hops (row by row), and the follow-ups."""
    draw = world.stream(f"plans {route.model_id}")
    chosen = signals.rows(rows)
    channel = _channels(draw, book, route.channels, chosen.person)
    leaves = (channel >= 0) & (draw.random(rows.size) >= route.lost) & (chosen.twin < 0)
    rows, chosen, channel = rows[leaves], chosen.rows(leaves), channel[leaves]
    hops = _hops(world, draw, route, chosen.at)
    due = hops.queued + waits(draw, rows.size, 2.0) + SECOND // 5
    due = _skewed(draw, due, chosen.at)
    first = _plans(route, rows, chosen, 0, channel, hops.synced, due)
    return first, hops, _follow_ups(draw, book, route, first)


def _plans(
    route: Route, rows: Ints, chosen: Signals, step: int, channel: Ints, made: Ints, due: Ints
) -> Plans:
    n = rows.size
    return Plans(
        rows, np.full(n, ROUTES.index(route)), np.full(n, step), chosen.person, chosen.record, chosen.node, channel,
        np.full(n, SERVICE if route.held else MARKETING), np.minimum(made, due), due, chosen.test,
    )  # fmt: skip


def _channels(draw: np.random.Generator, book: Directory, mix: Mix, person: Ints) -> Ints:
    """A channel by preference among those that reach the person; -1 where none does."""
    weight: Floats = np.zeros(len(CHANNELS))
    for name, share in mix:
        weight[CHANNELS.index(name)] = share
    open_ = book.reach[person] * weight
    total = open_.sum(axis=1)
    pick = (draw.random(person.size) * total)[:, None] >= np.cumsum(open_, axis=1)
    return np.where(total > 0, np.minimum(pick.sum(axis=1), len(CHANNELS) - 1), -1)


def _hops(world: World, draw: np.random.Generator, route: Route, at: Ints) -> Hops:
    n = at.size
    urgent = draw.random(n) < route.urgent
    batch = ~urgent & (route.export.period > 0)
    exported, low, high = _exports(world, draw, route, at, batch)
    synced = np.where(batch, high, exported) + waits(draw, n, 12.0) + SECOND
    eligible = synced + waits(draw, n, 20.0)
    manual = planted(draw, n, route.approval.share)
    work = spread(draw, n, route.approval.median_minutes * 60, 0.7)
    approved = np.where(manual, after_work(eligible, work), eligible + waits(draw, n, 0.5))
    ready = approved + seconds(draw.random(n) * route.release_minutes * 60)
    if route.slot is not None:
        slot = next_run(approved, 24 * 3600.0, route.slot * 3600.0)
        ready = np.where(urgent, ready, slot + (ready - approved))
    return Hops(exported, low, high, synced, eligible, approved, ready, manual, batch)


def _exports(
    world: World, draw: np.random.Generator, route: Route, at: Ints, batch: Bools
) -> tuple[Ints, Ints, Ints]:
    """When scores left, and the run they left with. While the export is down nothing leaves."""
    n = at.size
    streamed = at + waits(draw, n, 5.0)
    start = next_run(at, route.export.period, route.export.offset) if route.export.period else at
    began, ended = span_of(world, EXPORT_DOWN)
    start = np.where((start >= began) & (start < ended), ended, start)
    down = (streamed >= began) & (streamed < ended)
    streamed = np.where(down, ended + waits(draw, n, 600.0), streamed)
    run = int(route.export.run * SECOND)
    within = start + (draw.random(n) * run).astype(np.int64)
    exported = np.where(batch, within, streamed)
    return exported, np.where(batch, start, exported), np.where(batch, start + run, exported)


def _skewed(draw: np.random.Generator, due: Ints, scored: Ints) -> Ints:
    """A few sends carry a clock that runs behind the scorer's."""
    n = due.size
    little = planted(draw, n, _SKEWED)
    much = planted(draw, n, _BROKEN) & ~little
    due = np.where(little, scored - draw.integers(1, 4 * SECOND, n), due)
    return np.where(much, scored - draw.integers(20 * SECOND, 90 * SECOND, n), due)


def _follow_ups(draw: np.random.Generator, book: Directory, route: Route, first: Plans) -> list[Plans]:
    """Later messages of the flow, in another channel and often by another system's record."""
    out = []
    for step, follow in enumerate(route.follow_ups, start=1):
        chosen = np.flatnonzero(planted(draw, len(first), follow.share))
        base = first.rows(chosen)
        channel = _channels(draw, book, follow.channels, base.person)
        due = daylight(base.due + seconds(follow.hours * 3600 * (0.9 + 0.2 * draw.random(chosen.size))))
        record = np.where(draw.random(chosen.size) < 0.5, book.some_record(draw, base.person), base.record)
        later = Plans(
            base.signal, base.campaign, np.full(chosen.size, step), base.person, record, book.node[record], channel,
            base.purpose, base.due, due, base.test,
        )  # fmt: skip
        out.append(later.rows((channel >= 0) & (channel != base.channel)))
    return out
