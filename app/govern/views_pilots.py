"""Pilots: which still run, which have outlived their promise, and how soon a pilot becomes production here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from app.govern.model import Row
from app.govern.views import Room
from app.measure import words
from app.measure.readings import Readings
from metrics._delivery_waits import DAY, NAMES, WAITS, StepWaits
from metrics.core.metric import Scope
from metrics.core.shapes import Floats
from metrics.core.survival import band, kaplan_meier, quantile

STEP = "pilot to production"


@dataclass(frozen=True)
class Pilot:
    """One pilot that still runs: days since it began, the day it promised to be in production, and why it is a trap."""

    record_id: str
    title: str
    owner: str
    age: int
    promised: str
    overdue: int
    trap: str


@dataclass(frozen=True)
class Curve:
    """Share of pilots in production by age in days, with its limits, (T,); ages of the pilots that still run."""

    days: Floats
    share: Floats
    low: Floats
    high: Floats
    running: tuple[tuple[str, int], ...]
    n: int
    done: int
    median: float | None


@dataclass(frozen=True)
class Pilots:
    """Pilots that still run, the longest overdue first."""

    running: tuple[Pilot, ...]
    curve: Curve | None

    @property
    def traps(self) -> tuple[Pilot, ...]:
        return tuple(p for p in self.running if p.trap)


def pilots(room: Room, readings: Readings) -> Pilots:
    """Every pilot that the warehouse knows of; its promise is a milestone of the ledger."""
    by = {str(pairs[0][1]): cells for pairs, cells in readings.cells(WAITS, Scope(by=("initiative_id",)))}
    median = _median(tuple(by.values()))
    promises = _promises(room)
    found = [
        _pilot(room, slug, age, promises.get(slug), median)
        for slug, cells in by.items()
        if (age := _age(cells)) is not None and not _ended(room, slug)
    ]
    running = tuple(sorted(found, key=lambda p: (not p.trap, -p.overdue, -p.age, p.title)))
    return Pilots(running, _curve(tuple(by.values()), running, median))


def _ended(room: Room, slug: str) -> bool:
    """Whether the ledger has given the initiative up: its pilot runs no more, and still counts as one that got nowhere."""
    row = room.shelf.get("initiatives", {}).get(slug)
    return row is not None and (row.state != "active" or row["stage"] == "retired")


def _age(cells: StepWaits) -> int | None:
    """Days since the oldest pilot that has not reached production began; None where none runs."""
    waiting = (cells.step == NAMES.index(STEP)) & ~cells.ended
    return int(cells.seconds[waiting].max() // DAY) if waiting.any() else None


def _promises(room: Room) -> dict[str, Row]:
    """The earliest production still promised, by initiative."""
    open_ = [m for m in room.live("milestones") if m["kind"] == "production" and m["reached"] is None]
    return {m.text("initiative"): m for m in sorted(open_, key=lambda m: str(m["due"]), reverse=True)}


def _pilot(room: Room, slug: str, age: int, promise: Row | None, median: float | None) -> Pilot:
    due = promise["due"] if promise else None
    overdue = (room.today - due).days if isinstance(due, dt.date) else 0
    trap = f"{words.plural(overdue, 'day')} past its promise" if overdue > 0 else ""
    if promise is None and median is not None and age > median:
        trap = f"no promise, and older than the {median:.0f} days that half of the pilots need"
    held = room.shelf.get("ownership", {}).get(slug)
    owner = room.name(held.text("accountable")) if held and held.state == "active" else "nobody"
    told = words.date(due) if isinstance(due, dt.date) else "nothing promised"
    return Pilot(slug, room.title("initiatives", slug), owner, age, told, max(overdue, 0), trap)


def _joined(cells: tuple[StepWaits, ...]) -> StepWaits | None:
    if not cells:
        return None
    parts = ("step", "ended", "seconds", "n")
    return StepWaits(*(np.concatenate([getattr(c, name) for c in cells]) for name in parts))


def _median(cells: tuple[StepWaits, ...]) -> float | None:
    """Days that half of the pilots need, those still running counted for as long as they have run."""
    whole = _joined(cells)
    if whole is None or not whole.curve(STEP).n:
        return None
    found = quantile(whole.curve(STEP), 0.5).value
    return None if found is None else found / DAY


def _curve(cells: tuple[StepWaits, ...], running: tuple[Pilot, ...], median: float | None) -> Curve | None:
    whole = _joined(cells)
    if whole is None:
        return None
    own = whole.step == NAMES.index(STEP)
    n, ended = whole.n[own], whole.ended[own]
    if not n.sum():
        return None
    found = kaplan_meier(whole.seconds[own], np.where(ended, n, 0), np.where(ended, 0, n))
    limits = band(found)
    ages = tuple((p.title, p.age) for p in running)
    return Curve(
        found.time / DAY, 1 - found.survival, 1 - limits.high, 1 - limits.low, ages, found.n, int(found.events.sum()), median
    )  # fmt: skip
