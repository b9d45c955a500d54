"""Activations, their links to signals, and what providers reported of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.conduct import ABSENT, BLOCKED, FAILED, QUEUED, SENT, SKIPPED, Conduct
from data.demo.directory import Directory
from data.demo.draws import SECOND, Bools, Ints, World, load_time
from data.demo.frames import Frame, any_of, least, planted, seconds, span_of, spread, waits
from data.demo.plans import CAMPAIGNS, STOP_CONFIRMATION, Plans
from data.demo.routes import (
    CHANNELS,
    CLICKED,
    DELIVERED,
    EMAIL,
    OPENED,
    PRICES,
    PROVIDERS,
    SMS,
    VOICE,
    WEBHOOK_DROPPED,
    WHATSAPP,
)
from data.demo.signals import Signals
from data.demo.stops import COMPLAINT, HARD_BOUNCE, OPT_OUT, Stops

_PURPOSES = ("marketing", "transactional", "service", "legal", "opt_out_confirmation")
_MACHINES = 0.18
EVENTS = (
    "queued", "sent", "delivered", "opened", "clicked", "bounced_hard", "bounced_soft", "deferred", "blocked",
    "skipped", "failed", "complained", "unsubscribed", "read",
)  # fmt: skip
(E_QUEUED, E_SENT, E_DELIVERED, E_OPENED, E_CLICKED, E_HARD, E_SOFT, E_DEFERRED, E_BLOCKED, E_SKIPPED, E_FAILED,
 E_COMPLAINED, E_UNSUBSCRIBED, E_READ) = range(14)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """Which planned messages have a row, which were seen sent, and when they were delivered (FAR: not seen)."""

    ids: pa.Array
    written: Bools
    seen: Bools
    delivered: Ints


def message_tables(
    world: World, book: Directory, signals: Signals, plans: Plans, conduct: Conduct, stops: Stops
) -> tuple[dict[str, pa.Table], Sent]:
    """`activations`, `activation_signals` and `message_events`."""
    draw = world.stream("messages")
    ids = files.numbered("a-", len(plans))
    made = load_time(draw, np.minimum(plans.made, plans.due), 10.0)
    written = (conduct.status != ABSENT) & (made < world.end)
    status = np.where(written, conduct.status, ABSENT)
    events, sent = _events(world, draw, plans, status, conduct, stops, ids)
    tables = {
        "activations": _activations(book, plans, status, ids, made),
        "activation_signals": _links(signals, plans, ids, written, made),
        "message_events": events,
    }
    return tables, sent


def _activations(book: Directory, plans: Plans, every: Ints, ids: pa.Array, made: Ints) -> pa.Table:
    """Rows of all messages whose status in `every` is not ABSENT."""
    index = np.flatnonzero(every != ABSENT)
    some, status = plans.rows(index), every[index]
    sent = status == SENT
    cost = np.where(sent, np.array(PRICES)[some.channel], 0.0)
    address = files.joined(
        files.words(("person", "+1555", "+1555", "device", "+1555", "user"), some.channel),
        files.members("", book.persons, some.person),
        files.words(("@example.org", "", "", "", "", ""), some.channel),
    )
    planned = (some.step > 0) | (status == QUEUED)
    provider = files.words(PROVIDERS, some.channel)
    return pa.table(
        {
            "activation_id": ids.take(pa.array(index)),
            "person_id": book.person_ids(some.node),
            "record_id": book.record_ids(some.record),
            "channel": files.words(CHANNELS, some.channel),
            "purpose": files.words(_PURPOSES, some.purpose),
            "campaign_id": files.known(
                files.words(CAMPAIGNS, some.campaign), some.campaign != STOP_CONFIRMATION
            ),
            "provider": provider,
            "provider_message_id": files.known(
                files.joined(provider, files.members("-", len(plans), index)),
                (status == SENT) | (status == FAILED),
            ),
            "address": address,
            "created_at": files.times(np.minimum(some.made, some.due)),
            "scheduled_for": files.optional_times(some.due, planned),
            "is_test": pa.array(some.test),
            "cost_amount": pa.array(cost),
            "cost_currency": files.constant("USD", index.size),
            "loaded_at": files.times(made[index]),
        }
    )


def _links(signals: Signals, plans: Plans, ids: pa.Array, written: Bools, made: Ints) -> pa.Table:
    """Each message with its signal; a re-scored signal shares the first message half and half."""
    own = np.flatnonzero(written & (plans.signal >= 0))
    twin = np.flatnonzero(signals.twin >= 0)
    first = np.full(len(signals), -1)
    start = own[plans.step[own] == 0]
    first[plans.signal[start]] = start
    shared = first[signals.twin[twin]]
    twin, shared = twin[shared >= 0], shared[shared >= 0]
    row, signal = np.concatenate([own, shared]), np.concatenate([plans.signal[own], twin])
    halved = np.isin(row, shared)
    return pa.table(
        {
            "signal_id": signals.ids(signal),
            "activation_id": ids.take(pa.array(row)),
            "role": files.words(
                ("primary", "contributing"), (np.arange(row.size) >= own.size).astype(np.int64)
            ),
            "weight": pa.array(np.where(halved, 0.5, 1.0)),
            "loaded_at": files.times(made[row]),
        }
    )


@dataclass(frozen=True)
class _Events(Frame):
    """What was reported: row of the message, kind (of EVENTS), time, made by a machine, code or reason (-1: none)."""

    row: Ints
    kind: Ints
    at: Ints
    machine: Bools
    why: Ints


_CODES = (
    "21610", "unsubscribed_address", "spam_reporting_address", "bounced_address", "suppressed", "carrier_error",
)  # fmt: skip


def _batch(kind: int, row: Ints, at: Ints, *, machine: bool = False, why: Ints | None = None) -> _Events:
    n = row.size
    said = np.full(n, -1) if why is None else why
    return _Events(row, np.full(n, kind), at, np.full(n, machine), said)


def _events(
    world: World,
    draw: np.random.Generator,
    plans: Plans,
    status: Ints,
    conduct: Conduct,
    stops: Stops,
    ids: pa.Array,
) -> tuple[pa.Table, Sent]:
    """The `message_events` table, which messages were seen sent, and when delivered."""
    every = _Events.stack(
        [*_after_sending(world, draw, plans, status, conduct, stops), *_refusals(plans, conduct, status)]
    )
    received = every.at + draw.integers(0, 3 * SECOND, len(every))
    loaded = np.maximum(load_time(draw, every.at, 12.0), received)
    kept = np.flatnonzero(loaded < world.end)
    every, received, loaded = every.rows(kept), received[kept], loaded[kept]
    written = status != ABSENT
    seen = any_of(every.row[every.kind == E_SENT], len(plans))
    arrived = every.kind == E_DELIVERED
    delivered = least(every.row[arrived], every.at[arrived], len(plans))
    return _event_table(plans, every, ids, received, loaded), Sent(ids, written, seen, delivered)


def _event_table(plans: Plans, every: _Events, ids: pa.Array, received: Ints, loaded: Ints) -> pa.Table:
    word, message = files.words(EVENTS, every.kind), ids.take(pa.array(every.row))
    why = files.words(_CODES, np.maximum(every.why, 0))
    colon = files.words((":", ":machine-"), every.machine.astype(np.int64))
    return pa.table(
        {
            "source": files.words(PROVIDERS, plans.channel[every.row]),
            "event_id": files.joined(message, colon, word),
            "activation_id": message,
            "event_type": word,
            "event_at": files.times(every.at),
            "reason": files.known(why, every.why > 0),
            "provider_code": files.known(why, every.why == 0),
            "is_machine": pa.array(every.machine),
            "received_at": files.times(received),
            "loaded_at": files.times(loaded),
        }
    )


def _refusals(plans: Plans, conduct: Conduct, status: Ints) -> list[_Events]:
    """Messages that did not go out: refused by provider or engine, failed, or still waiting."""
    blocked, skipped = np.flatnonzero(status == BLOCKED), np.flatnonzero(status == SKIPPED)
    failed, waiting = np.flatnonzero(status == FAILED), np.flatnonzero(status == QUEUED)
    trigger = conduct.refused_for[blocked]
    said = np.where(trigger == COMPLAINT, 2, np.where(trigger == HARD_BOUNCE, 3, 1))
    text = np.isin(plans.channel[blocked], (SMS, WHATSAPP))
    return [
        _batch(E_BLOCKED, blocked, plans.due[blocked], why=np.where(text, 0, said)),
        _batch(E_SKIPPED, skipped, plans.due[skipped], why=np.full(skipped.size, 4)),
        _batch(E_FAILED, failed, plans.due[failed], why=np.full(failed.size, 5)),
        _batch(E_QUEUED, waiting, np.minimum(plans.made, plans.due)[waiting]),
    ]


def _after_sending(
    world: World, draw: np.random.Generator, plans: Plans, status: Ints, conduct: Conduct, stops: Stops
) -> list[_Events]:
    """From the hand-off on: delivery, opens by people and machines, clicks, bounces and complaints."""
    sent = np.flatnonzero(status == SENT)
    channel, due = plans.channel[sent], plans.due[sent]
    n = sent.size
    answered = (stops.cause >= 0) & ~stops.release & (conduct.status[np.maximum(stops.cause, 0)] == SENT)
    bounced = any_of(stops.cause[answered & (stops.trigger == HARD_BOUNCE)], len(plans))
    arrives = (draw.random(n) < np.array(DELIVERED)[channel]) & ~bounced[sent]
    at = due + waits(draw, n, 6.0) + SECOND // 2
    began, ended = span_of(world, WEBHOOK_DROPPED)
    unheard = np.isin(channel, (SMS, WHATSAPP)) & (at >= began) & (at < ended)
    told = arrives & ~unheard
    opened = arrives & (draw.random(n) < np.array(OPENED)[channel])
    opened_at = at + spread(draw, n, 2400.0, 1.4)
    machine = arrives & (channel == EMAIL) & (draw.random(n) < _MACHINES)
    can_click = np.where(np.array(OPENED)[channel] > 0, opened, arrives)
    clicked = can_click & (draw.random(n) < np.array(CLICKED)[channel])
    soft = ~arrives & (channel == EMAIL) & ~bounced[sent]
    lost = ~arrives & (channel != EMAIL) & (channel != VOICE)
    slow = told & planted(draw, n, 0.01)
    is_text = channel == WHATSAPP
    batches = [
        _batch(E_SENT, sent, due),
        _batch(E_DELIVERED, sent[told], (at + np.where(slow, 1800 * SECOND, 0))[told]),
        _batch(E_DEFERRED, sent[slow], at[slow]),
        _batch(E_OPENED, sent[opened & ~is_text], opened_at[opened & ~is_text]),
        _batch(E_READ, sent[opened & is_text], opened_at[opened & is_text]),
        _batch(E_OPENED, sent[machine], at[machine] + SECOND, machine=True),
        _batch(E_CLICKED, sent[clicked], (opened_at + seconds(draw.uniform(5, 300, n)))[clicked]),
        _batch(E_SOFT, sent[soft], at[soft]),
        _batch(E_FAILED, sent[lost], at[lost], why=np.full(int(lost.sum()), 5)),
    ]
    for trigger, kind in ((HARD_BOUNCE, E_HARD), (COMPLAINT, E_COMPLAINED), (OPT_OUT, E_UNSUBSCRIBED)):
        chosen = answered & (stops.trigger == trigger)
        batches.append(_batch(kind, stops.cause[chosen], stops.at[chosen]))
    return batches
