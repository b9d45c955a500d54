"""From scores to people and back: everything the person-facing models leave in the warehouse, with its truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.conduct import Conduct, conducted, other_messages
from data.demo.consents import consent_table
from data.demo.directory import Directory, identity_tables, make_directory
from data.demo.draws import Bools, World
from data.demo.experiments import Assignment
from data.demo.hops import hop_table
from data.demo.learned import learned_tables
from data.demo.ledger_rows import cost_table, incident_table
from data.demo.messages import Sent, message_tables
from data.demo.milestones import milestone_table
from data.demo.outcomes import KINDS, Outcomes, outcome_tables, outcomes_of
from data.demo.plans import Hops, Plans, planned
from data.demo.predictions import Drawn
from data.demo.routes import PRICES, ROUTES
from data.demo.signals import SUPPRESS, Signals, signal_table, signals_of, stacked
from data.demo.specs import ModelSpec
from data.demo.stop_tables import stop_tables
from data.demo.stops import Heard, Stops, heard, stops_of
from data.demo.truth import JourneyTruth, RouteTruth
from data.demo.usage import usage_table
from data.demo.verdicts import STATES, Breaches, States, breaches_of, first_sends, states_of, truth_tables


@dataclass(frozen=True)
class Scored:
    """A model with its predictions, and the randomised arms its messages must respect (None: no trial)."""

    spec: ModelSpec
    drawn: Drawn
    trial: Assignment | None


@dataclass(frozen=True)
class Journeys:
    """Warehouse tables, tables of truth, and the truth in figures."""

    tables: dict[str, pa.Table]
    truth_tables: dict[str, pa.Table]
    truth: JourneyTruth


@dataclass(frozen=True)
class _Story:
    """Everything that happens, before any of it becomes a table."""

    book: Directory
    signals: Signals
    hops: Hops
    outcomes: Outcomes
    stops: Stops
    told: Heard
    plans: Plans
    conduct: Conduct


def journeys(world: World, scored: Mapping[str, Scored]) -> Journeys:
    """Simulate the journeys of all routes; `scored` holds the model of each."""
    story = _told(world, scored)
    book, signals, plans, stops, outcomes = (
        story.book,
        story.signals,
        story.plans,
        story.stops,
        story.outcomes,
    )
    stop_ids = files.numbered("x-", len(stops))
    tables, heard_of = stop_tables(world, book, stops, story.told, stop_ids)
    messages, sent = message_tables(world, book, signals, plans, story.conduct, stops)
    known_stops = np.flatnonzero(heard_of)
    results, known = outcome_tables(world, book, signals, outcomes, _reached(signals, plans, sent))
    tables |= messages | results | identity_tables(world, book)
    tables |= {
        "activation_hops": hop_table(world, signals, plans, story.hops, sent, outcomes, known),
        "consents": consent_table(world, book, stops, known_stops),
        "signals": signal_table(book, {k: s.spec for k, s in scored.items()}, signals),
        "costs": _costs(world, plans, sent),
        "delivery_events": pa.concat_tables(
            [incident_table(world), milestone_table(world)], promote_options="default"
        ),
        "usage_events": usage_table(world),
    }
    tables |= learned_tables(world)
    first = first_sends(signals, plans, sent)
    states = states_of(world, book, signals, first, stops.rows(known_stops), outcomes.rows(known.outcome))
    seen = breaches_of(book, plans, sent, stops.rows(known_stops))
    breaches = Breaches(seen.plan, known_stops[seen.stop], seen.visible)
    truths = truth_tables(book, signals, states, plans, stops, breaches, sent, stop_ids)
    return Journeys(tables, truths, _truth(signals, states, breaches, stops.rows(known_stops)))


def _told(world: World, scored: Mapping[str, Scored]) -> _Story:
    """Signals lead to plans, plans to outcomes and stops, and stops decide which plans are carried out."""
    book = make_directory(world)
    models = [(r, scored[r.model_id]) for r in ROUTES]
    signals = stacked([signals_of(world, book, r, m.spec, m.drawn, m.trial) for r, m in models])
    first, hops = _planned(world, book, signals)
    outcomes = outcomes_of(world, book, signals, first)
    bought = np.flatnonzero((outcomes.plan >= 0) & (outcomes.kind != KINDS.index("churn")))
    stops = stops_of(world, book, first, (outcomes.plan[bought], outcomes.at[bought]))
    told = heard(world, stops)
    plans = Plans.stack([first, other_messages(world, book, stops, outcomes)])
    return _Story(
        book, signals, hops, outcomes, stops, told, plans, conducted(world, book, plans, stops, told)
    )


def _planned(world: World, book: Directory, signals: Signals) -> tuple[Plans, Hops]:
    """All first messages, then all follow-ups; hops belong to the first messages, row by row."""
    asks = (signals.acts() | (signals.decision == SUPPRESS)) & ~signals.unlinked
    firsts, hops, later = [], [], []
    for code, route in enumerate(ROUTES):
        rows = np.flatnonzero(asks & (signals.route == code))
        first, hop, more = planned(world, book, route, signals, rows)
        firsts.append(first)
        hops.append(hop)
        later += more
    return Plans.stack([*firsts, *later]), Hops.stack(hops)


def _reached(signals: Signals, plans: Plans, sent: Sent) -> Bools:
    out = np.zeros(len(signals), np.bool_)
    out[plans.signal[sent.seen & (plans.signal >= 0)]] = True
    return out


def _costs(world: World, plans: Plans, sent: Sent) -> pa.Table:
    went = np.flatnonzero(sent.written & sent.seen & (plans.campaign < len(ROUTES)))
    return cost_table(
        world,
        tuple(r.slug for r in ROUTES),
        plans.campaign[went],
        plans.due[went],
        np.array(PRICES)[plans.channel[went]],
    )


def _truth(signals: Signals, states: States, breaches: Breaches, stops: Stops) -> JourneyTruth:
    routes = []
    for code, route in enumerate(ROUTES):
        own = signals.route == code
        counts = np.bincount(states.code[own], minlength=len(STATES)).tolist()
        valid = counts[5] + counts[6] + counts[10]
        routes.append(
            RouteTruth(
                route.model_id,
                tuple(zip(STATES, counts, strict=True)),
                counts[5] / valid if valid else None,
                route.convert,
            )
        )
    return JourneyTruth(
        routes=tuple(routes),
        violations=int(breaches.visible.sum()),
        hidden_violations=int((~breaches.visible).sum()),
        suppressions=int((~stops.release).sum()),
        releases=int(stops.release.sum()),
    )
