"""The demo's ledger: the diary of the simulated enterprise, written through the one write path, act by act."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass

from app.govern import (
    books,
    demo_acts,
    demo_alerts,
    demo_board,
    demo_gates,
    demo_learning,
    demo_meeting,
    demo_risks,
    demo_studies,
)
from app.govern.commands import execute, find
from app.govern.demo_acts import Act, InDays, Planned, add, person
from app.govern.model import Add, Change, Command, Ledger, Receipt, Step
from app.govern.open import open_ledger
from app.measure.targets import load_targets
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.demo import INITIATIVES
from data.ledger_types import Value
from metrics.core.verdict import Target

_APART = dt.timedelta(seconds=11)  # between two acts


class DemoError(RuntimeError):
    """Simulated people would be mixed with real ones."""


@dataclass(frozen=True)
class Filled:
    """What was written: acts of the diary, and how long it took in seconds."""

    acts: int
    new: int
    seconds: float

    def message(self) -> str:
        return f"the ledger holds {self.acts} acts of the simulated enterprise, {self.new} of them new ({self.seconds:.1f} s)"


@dataclass(frozen=True)
class _Held:
    """Where a record of the diary stands: its identifier and newest version."""

    record_id: str
    version: int


@dataclass(frozen=True)
class _Stopped:
    """A clock that stands at one moment."""

    moment: dt.datetime

    def __call__(self) -> dt.datetime:
        return self.moment


def fill(settings: Settings, now: dt.datetime) -> Filled:
    """Write the diary into the ledger of a demo home; what is there already is left as it is."""
    if settings.mode != "demo":
        raise DemoError("simulated people exist only in demo mode")
    began = time.monotonic()
    store, runtime = open_ledger(settings, lambda: now).store, open_runtime(settings)
    acts = diary(load_targets(settings.home))
    held: dict[str, _Held] = {}
    turns: Counter[str] = Counter()
    new = 0
    for one, moment in zip(acts, _moments(acts, now), strict=True):
        ledger = Ledger(store, _Stopped(moment))
        turns[one.name] += 1
        key = f"demo/{one.name}/{turns[one.name]}"
        known = find(ledger, key)
        receipt = known or _carry_out(runtime, ledger, one, held, now, key)
        if receipt is not None:
            held[one.name] = _Held(receipt.record_id, receipt.version)
            new += known is None
    lapsed = len(books.act_on_lapses(Ledger(store, lambda: now)))
    return Filled(len(acts) + lapsed, new + lapsed, time.monotonic() - began)


def diary(targets: tuple[Target, ...]) -> tuple[Act, ...]:
    """Every act, oldest first; acts of one day keep the order in which they are written down."""
    acts = (
        *demo_acts.USERS, *demo_risks.APPETITES, *demo_acts.INITIATIVES, *demo_acts.OWNERSHIP, *demo_acts.DECISIONS,
        *demo_risks.RISKS, *demo_risks.CONTROLS, *demo_risks.REQUESTS, *demo_risks.CONTRACTS, *demo_risks.RUNNING,
        *_targets(targets), *demo_meeting.OPENED, *demo_gates.ACTS, *demo_meeting.CLOSED, *demo_studies.ACTS,
        *demo_learning.ACTS, *demo_alerts.ACTS, *demo_board.ACTS,
    )  # fmt: skip
    return tuple(sorted(acts, key=lambda act: -act.days_ago))


def _moments(acts: tuple[Act, ...], now: dt.datetime) -> tuple[dt.datetime, ...]:
    """Rising times, the last just before `now`."""
    return tuple(
        now - dt.timedelta(days=act.days_ago) - _APART * (len(acts) - at) for at, act in enumerate(acts)
    )


def _carry_out(
    runtime: Runtime, ledger: Ledger, act: Act, held: dict[str, _Held], now: dt.datetime, key: str
) -> Receipt | None:
    """One act. One that has a plan measures first; it may find nothing to do."""
    if act.plan is None:
        return execute(ledger, _command(act, held, now.date()), act.who, key)
    known = {name: one.record_id for name, one in held.items()}
    return act.plan(demo_gates.Scene(runtime, ledger, now, act.who, key, known))


def _command(act: Act, held: dict[str, _Held], today: dt.date) -> Command:
    values = tuple((name, _value(value, held, today)) for name, value in act.values)
    if act.verb == "add":
        return Add(act.register, values, act.record_id, act.reason)
    found = held[act.name]
    if act.verb == "change":
        return Change(act.register, found.record_id, found.version, values, act.reason)
    return Step(act.verb, act.register, found.record_id, found.version, act.reason)


def _value(value: Planned, held: dict[str, _Held], today: dt.date) -> Value:
    if isinstance(value, InDays):
        return today + dt.timedelta(days=value.days)
    if isinstance(value, str) and value.startswith("@"):
        return held[value[1:]].record_id
    return value


def _targets(targets: tuple[Target, ...]) -> tuple[Act, ...]:
    """The targets of the demo and what was said about some of them."""
    acts = tuple(_target(target) for target in targets)
    said = tuple(
        add(ago, who, "check_ins", f"chk-{ago}", target=f"@tgt-{metric}-{model}", confidence=mood, comment=comment)
        for ago, who, metric, model, mood, comment in demo_risks.CHECK_INS
        if any(act.name == f"tgt-{metric}-{model}" for act in acts)
    )  # fmt: skip
    return (*acts, *said)


def _target(target: Target) -> Act:
    subject = "-".join(value for _, value in target.where)
    return add(
        300, "hanna", "targets", f"tgt-{target.metric}-{subject}", metric=target.metric,
        comparator=target.comparator.value, threshold=target.threshold, min_n=target.min_n,
        scope=tuple(f"{name}={value}" for name, value in target.where) or None,
        max_age_days=target.max_age / dt.timedelta(days=1), valid_from=target.valid_from,
        valid_to=None if target.valid_to == dt.date.max else target.valid_to, note=target.note or None,
        initiative=_initiative(subject), owner=person("hanna"),
    )  # fmt: skip


def _initiative(subject: str) -> str | None:
    """The initiative whose model or experiment this is, if it was there when the targets were written down."""
    for one in INITIATIVES:
        names = (*(m.model_id for m in one.models), *(e.experiment_id for e in one.experiments))
        if subject in names:
            return one.slug if one.slug in _OLD else None
    return None


_OLD = frozenset(act.name for act in demo_acts.INITIATIVES if act.days_ago > 300)
