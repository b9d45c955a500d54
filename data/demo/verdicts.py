"""The truth of the journeys: state of every signal and violating messages, by the rules of the definitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.conduct import released
from data.demo.directory import Directory
from data.demo.draws import SECOND, Bools, Floats, Ints, World
from data.demo.frames import FAR, any_of, least, pairs_of
from data.demo.messages import Sent
from data.demo.outcomes import KINDS, Outcomes
from data.demo.plans import Plans
from data.demo.routes import CHANNELS, CONFIRMATION, LEGAL, MARKETING, ROUTES, SERVICE, TRANSACTIONAL
from data.demo.signals import ACTIVATE, Signals
from data.demo.stops import DECEASED, ERASURE, HARD_BOUNCE, RE_OPT_IN, TRIGGERS, Stops

STATES = (
    "excluded_test", "excluded_holdout", "excluded_no_action", "unlinked_identity", "invalid_negative", "in_window",
    "late", "competing_suppressed", "competing_converted", "open", "missed",
)  # fmt: skip
_EPS = 5 * SECOND


@dataclass(frozen=True)
class States:
    """Code of STATES, and seconds of latency or to the competing event (NaN for others): shapes (n,)."""

    code: Ints
    seconds: Floats


def first_sends(signals: Signals, plans: Plans, sent: Sent) -> Ints:
    """Time of the first marketing message of each signal that the warehouse saw sent, FAR for none."""
    good = np.flatnonzero(
        sent.written & sent.seen & (plans.signal >= 0) & (plans.purpose == MARKETING) & ~plans.test
    )
    first = least(plans.signal[good], plans.due[good], len(signals))
    start = good[plans.step[good] == 0]
    shared = least(plans.signal[start], plans.due[start], len(signals))
    twin = np.flatnonzero(signals.twin >= 0)
    first[twin] = np.minimum(first[twin], shared[signals.twin[twin]])
    return first


def states_of(
    world: World, book: Directory, signals: Signals, first: Ints, stops: Stops, outcomes: Outcomes
) -> States:
    """State of each signal from its first send, and the stops and outcomes that the warehouse knows."""
    root, n = book.root[signals.node], len(signals)
    stop = _first_stop(book, signals, root, stops)
    bought = outcomes.rows(outcomes.kind != KINDS.index("churn"))
    left, right = pairs_of(root, book.root[bought.node])
    after = bought.at[right] >= signals.at[left]
    won = least(left[after], bought.at[right[after]], n)
    rival = np.minimum(stop, won)
    took, window, age = first - signals.at, signals.window(), world.end - 1 - signals.at
    code = np.select(
        [signals.test, signals.held_out, signals.decision != ACTIVATE, signals.unlinked, took < -_EPS, rival < first,
         (first < FAR) & (took <= window), first < FAR, age < window],
        [0, 1, 2, 3, 4, np.where(won <= stop, 8, 7), 5, 6, 9], 10,
    )  # fmt: skip
    micros = np.select(
        [code == 4, (code == 5) | (code == 6), (code == 7) | (code == 8)],
        [took, np.maximum(took, 0), np.maximum(rival - signals.at, 0)], 0,
    )  # fmt: skip
    return States(code, np.where((code >= 4) & (code <= 8), micros / SECOND, np.nan))


def _first_stop(book: Directory, signals: Signals, root: Ints, stops: Stops) -> Ints:
    """First suppression in force at the scoring or effective from then on."""
    key = book.root[stops.node]
    back = stops.rows(stops.release & (stops.trigger == RE_OPT_IN))
    left, right = pairs_of(key, book.root[back.node])
    later = back.at[right] > stops.at[left]
    free = least(left[later], back.at[right[later]], len(stops))
    left, right = pairs_of(root, np.where(stops.release, -1, key))
    scored = signals.at[left]
    holds = (stops.at[right] >= scored) | ((stops.expires[right] > scored) & (free[right] > scored))
    return least(left[holds], stops.at[right[holds]], len(signals))


@dataclass(frozen=True)
class Breaches:
    """Violating messages: row of the message, of the earliest suppression violated, and whether merges show it."""

    plan: Ints
    stop: Ints
    visible: Bools


def breaches_of(book: Directory, plans: Plans, sent: Sent, stops: Stops) -> Breaches:
    """Violations under the strict policy: those that today's merges show, then those that only the truth knows."""
    went = np.flatnonzero(sent.written & sent.seen & ~plans.test)
    some = plans.rows(went)
    shown = _violated(some, stops, book.root[some.node], book.root[stops.node])
    truth = _violated(some, stops, some.person, stops.person)
    hidden = (truth < FAR) & (shown == FAR)
    a, b = np.flatnonzero(shown < FAR), np.flatnonzero(hidden)
    return Breaches(
        went[np.concatenate([a, b])],
        np.concatenate([shown[a], truth[b]]),
        np.arange(a.size + b.size) < a.size,
    )


def _violated(some: Plans, stops: Stops, who: Ints, whose: Ints) -> Ints:
    """Row of the earliest suppression that each message violates (stops are in order of time), FAR for none."""
    free = released(stops, whose, valid_only=True)
    left, right = pairs_of(who, np.where(stops.release, -1, whose))
    due = some.due[left]
    force = (stops.at[right] < due) & (due < stops.expires[right]) & (free[right, some.channel[left]] > due)
    trigger = stops.trigger[right]
    bounced = (trigger == HARD_BOUNCE) & (stops.channel[right] == some.channel[left])
    confirmed = _confirmations(some, stops, who, whose)[left]
    exempt = np.isin(some.purpose[left], (TRANSACTIONAL, SERVICE, LEGAL))
    absolute = (trigger == ERASURE) | (trigger == DECEASED)
    stopped = bounced | (~confirmed & (absolute | ~exempt))
    hit = force & stopped
    return least(left[hit], right[hit], len(some))


def _confirmations(some: Plans, stops: Stops, who: Ints, whose: Ints) -> Bools:
    """The one confirmation text that each opt-out allows within 300 seconds."""
    rows = np.flatnonzero(some.purpose == CONFIRMATION)
    due = some.due[rows]
    left, right = pairs_of(who[rows], np.where(stops.release, -1, whose))
    wait = due[left] - stops.at[right]
    near = (wait > 0) & (wait <= 300 * SECOND)
    left, right = left[near], right[near]
    one, other = pairs_of(who[rows][left], who[rows])
    between = (due[other] > stops.at[right[one]]) & (due[other] < due[left[one]])
    only = ~any_of(one[between], left.size)
    return any_of(rows[left[only]], len(some))


def truth_tables(
    book: Directory, signals: Signals, states: States, plans: Plans, stops: Stops, breaches: Breaches,
    sent: Sent, stop_ids: pa.Array,
) -> dict[str, pa.Table]:  # fmt: skip
    """`truth_signals`, `truth_violations` and `truth_records`: never loaded, only compared with."""
    plan, stop = breaches.plan, breaches.stop
    delay = (plans.due[plan] - stops.at[stop]) / SECOND
    n = book.person.size
    return {
        "truth_signals": pa.table(
            {
                "signal_id": signals.ids(),
                "model_id": files.words([r.model_id for r in ROUTES], signals.route),
                "person": files.members("e-", book.persons, signals.person),
                "state": files.words(STATES, states.code),
                "seconds": files.optional_floats(states.seconds, ~np.isnan(states.seconds)),
            }
        ),
        "truth_violations": pa.table(
            {
                "activation_id": sent.ids.take(pa.array(plan)),
                "suppression_event_id": stop_ids.take(pa.array(stop)),
                "channel": files.words(CHANNELS, plans.channel[plan]),
                "trigger_type": files.words(TRIGGERS, stops.trigger[stop]),
                "delay_seconds": pa.array(delay),
                "cross_channel": pa.array(plans.channel[plan] != stops.channel[stop]),
                "cross_record": pa.array(plans.record[plan] != stops.record[stop]),
                "shown_by_merges": pa.array(breaches.visible),
            }
        ),
        "truth_records": pa.table(
            {
                "record_id": book.record_ids(np.arange(n)),
                "person_id": book.person_ids(book.node),
                "person": files.members("e-", book.persons, book.person),
            }
        ),
    }
