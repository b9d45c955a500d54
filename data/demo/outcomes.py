"""What people did: purchases, renewals, upgrades and churn, and which of it the models heard again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.directory import Directory
from data.demo.draws import DAY, Bools, Floats, Ints, World, load_time
from data.demo.frames import FAR, Frame, planted, seconds, spread
from data.demo.plans import Plans
from data.demo.routes import ROUTES
from data.demo.signals import Signals

KINDS = ("purchase", "renewal", "upgrade", "churn")
_ORGANIC = 0.0022  # purchases a person and day that no signal was about
_REVERSED = 0.03
_CHURNED = 0.18


@dataclass(frozen=True)
class Outcomes(Frame):
    """Outcomes. `signal` and `plan` are the rows of the signal and first message they followed, -1 for none."""

    kind: Ints
    person: Ints
    record: Ints
    node: Ints
    at: Ints
    revenue: Floats
    reversed_at: Ints
    signal: Ints
    plan: Ints


def outcomes_of(world: World, book: Directory, signals: Signals, plans: Plans) -> Outcomes:
    """Conversions of signals by how they were reached, churn of churn signals, and purchases of their own."""
    draw = world.stream("outcomes")
    parts = [*_converted(draw, signals, plans), _organic(world, draw, book)]
    found = Outcomes.stack(parts)
    found = found.rows(found.at < world.end)
    return found.rows(np.argsort(found.at, kind="stable"))


def first_plan(signals: Signals, plans: Plans) -> Ints:
    """Row of the first planned message of each signal, -1 for none."""
    out = np.full(len(signals), -1)
    first = np.flatnonzero((plans.step == 0) & (plans.signal >= 0))
    out[plans.signal[first]] = first
    return out


def _converted(draw: np.random.Generator, signals: Signals, plans: Plans) -> list[Outcomes]:
    n = len(signals)
    plan = first_plan(signals, plans)
    due = signals.at.copy()
    due[plan >= 0] = plans.due[plan[plan >= 0]]
    reached = np.where(plan < 0, 2, np.where(due - signals.at <= signals.window(), 0, 1))
    chance = np.array([r.convert for r in ROUTES])[signals.route, reached]
    merited = (signals.acts() | signals.held_out) & ~signals.test & ~signals.unlinked & (signals.twin < 0)
    bought = np.flatnonzero(merited & (draw.random(n) < chance))
    leaving = np.array([r.slug == "churn-retention" for r in ROUTES])[signals.route]
    left = np.flatnonzero(merited & leaving & (draw.random(n) < _CHURNED))
    left = np.setdiff1d(left, bought)
    kind = np.array([KINDS.index(r.outcome) for r in ROUTES])[signals.route[bought]]
    mean = np.array([max(r.value, 1.0) for r in ROUTES])[signals.route[bought]]
    at = np.maximum(due, signals.at)[bought] + spread(draw, bought.size, 1.1 * 86_400, 0.9)
    gone = signals.at[left] + seconds(draw.uniform(12, 40, left.size) * 86_400)
    return [
        _rows(draw, kind, signals, bought, at, mean, plan),
        _rows(draw, np.full(left.size, KINDS.index("churn")), signals, left, gone, np.zeros(left.size), plan),
    ]


def _rows(
    draw: np.random.Generator, kind: Ints, signals: Signals, index: Ints, at: Ints, mean: Floats, plan: Ints
) -> Outcomes:
    undone = planted(draw, index.size, _REVERSED) & (mean > 0)
    revenue = np.round(mean * np.exp(0.6 * draw.standard_normal(index.size) - 0.18), 2)
    back = at + seconds(draw.uniform(1, 20, index.size) * 86_400)
    some = signals.rows(index)
    lost = np.where(undone, back, FAR)
    return Outcomes(kind, some.person, some.record, some.node, at, revenue, lost, index, plan[index])


def _organic(world: World, draw: np.random.Generator, book: Directory) -> Outcomes:
    n = max(1, round(book.persons * world.days * _ORGANIC))
    at = world.end - (draw.random(n) * world.days * DAY).astype(np.int64) - 1
    record = book.some_record(draw, draw.integers(0, book.persons, n))
    revenue = np.round(70.0 * np.exp(0.6 * draw.standard_normal(n) - 0.18), 2)
    none = np.full(n, -1)
    far = np.full(n, FAR)
    return Outcomes(
        np.zeros(n, np.int64), book.person[record], record, book.node[record], at, revenue, far, none, none
    )


@dataclass(frozen=True)
class Known:
    """Which outcomes the warehouse knows, and which the model heard of, when: shapes (n,)."""

    outcome: Bools
    fed_back: Bools
    fed_at: Ints


def outcome_tables(
    world: World, book: Directory, signals: Signals, outcomes: Outcomes, reached: Bools
) -> tuple[dict[str, pa.Table], Known]:
    """`outcomes` and `feedback_events`. `reached` says of each signal whether a message went out."""
    draw = world.stream("outcome tables")
    n, ids = len(outcomes), files.numbered("o-", len(outcomes))
    told = outcomes.reversed_at < world.end
    loaded = load_time(draw, np.where(told, outcomes.reversed_at, outcomes.at), 60.0)
    kept = loaded < world.end
    table = pa.table(
        {
            "outcome_id": ids,
            "person_id": book.person_ids(outcomes.node),
            "outcome_type": files.words(KINDS, outcomes.kind),
            "occurred_at": files.times(outcomes.at),
            "revenue": files.optional_floats(outcomes.revenue, outcomes.kind != KINDS.index("churn")),
            "currency": files.constant("USD", n),
            "reversed_at": files.optional_times(outcomes.reversed_at, told),
            "loaded_at": files.times(np.minimum(loaded, world.end - 1)),
        }
    ).filter(pa.array(kept))
    fed_back, fed_at, learned = _heard_again(
        world, draw, signals, outcomes, kept & _followed(outcomes, reached)
    )
    feedback = pa.table(
        {
            "signal_id": signals.ids(outcomes.signal[fed_back]),
            "outcome_id": ids.filter(pa.array(fed_back)),
            "label": pa.array(np.ones(int(fed_back.sum()))),
            "ingested_at": files.times(fed_at[fed_back]),
            "loaded_at": files.times(learned[fed_back]),
        }
    )
    return {"outcomes": table, "feedback_events": feedback}, Known(kept, fed_back, fed_at)


def _followed(outcomes: Outcomes, reached: Bools) -> Bools:
    """Outcomes that followed a signal whose message went out."""
    followed = outcomes.signal >= 0
    followed[followed] = reached[outcomes.signal[followed]]
    return followed


def _heard_again(
    world: World, draw: np.random.Generator, signals: Signals, outcomes: Outcomes, may: Bools
) -> tuple[Bools, Ints, Ints]:
    """Which outcomes went back to the model, when it took them in, and when the warehouse knew."""
    hours = np.zeros(len(outcomes))
    hours[may] = np.array([r.feedback_hours for r in ROUTES])[signals.route[outcomes.signal[may]]]
    fed_at = outcomes.at + (spread(draw, hours.size, 3600.0, 0.7) * hours).astype(np.int64)
    learned = load_time(draw, fed_at, 30.0)
    return may & (draw.random(hours.size) < 0.8) & (learned < world.end), fed_at, learned
