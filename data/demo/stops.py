"""Suppressions and releases: who said stop, when, and when each channel heard of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.directory import Directory
from data.demo.draws import DAY, SECOND, Bools, Floats, Ints, World
from data.demo.frames import FAR, Frame, least, next_run, planted, span_of, spread
from data.demo.plans import CAMPAIGNS, Plans
from data.demo.routes import (
    CHANNELS,
    EMAIL,
    IN_APP,
    MARKETING,
    PUSH,
    ROUTES,
    SMS,
    VOICE,
    WEBHOOK_DROPPED,
    WHATSAPP,
)

TRIGGERS = (
    "opt_out", "complaint", "hard_bounce", "conversion", "consent_withdrawn", "dnc_registry", "erasure_request",
    "deceased", "manual", "opt_out_suspected", "re_opt_in",
)  # fmt: skip
(
    OPT_OUT,
    COMPLAINT,
    HARD_BOUNCE,
    CONVERSION,
    WITHDRAWN,
    DNC,
    ERASURE,
    DECEASED,
    MANUAL,
    SUSPECTED,
    RE_OPT_IN,
) = range(11)
_ALONE = ((WITHDRAWN, 0.006, EMAIL), (DNC, 0.004, VOICE), (ERASURE, 0.0015, EMAIL), (DECEASED, 0.0008, VOICE),
          (MANUAL, 0.003, EMAIL), (SUSPECTED, 0.004, SMS))  # fmt: skip
_COMPLAINTS, _BOUNCES = 0.0012, 0.009
_CONVERSION_SHARE = 0.3
_PRESSED = 0.02  # opt-outs between two messages of a flow
_NEVER_HEARD = 0.012
_HOUR = 3600
RUN = 1500  # seconds a nightly sync takes


@dataclass(frozen=True)
class Stops(Frame):
    """Suppressions and releases. `cause` is the planned message that led to it, -1 for none.

    `channel` is the origin, `everywhere` says that the row lists every channel, `campaign` is -1 for all.
    """

    trigger: Ints
    release: Bools
    person: Ints
    record: Ints
    node: Ints
    channel: Ints
    everywhere: Bools
    campaign: Ints
    at: Ints
    received: Ints
    expires: Ints
    cause: Ints


def _rows(draw: np.random.Generator, trigger: Ints, record: Ints, book: Directory, channel: Ints, at: Ints,
          cause: Ints) -> Stops:  # fmt: skip
    """Suppressions of everything; a few reach the collector hours or days later (letters, calls)."""
    n = at.size
    slow = draw.random(n) < 0.03
    lag = np.where(slow, spread(draw, n, 20 * 3600.0, 0.8), draw.integers(0, 4 * SECOND, n))
    return Stops(
        trigger, np.zeros(n, np.bool_), book.person[record], record, book.node[record], channel, np.ones(n, np.bool_),
        np.full(n, -1), at, at + np.where(trigger == HARD_BOUNCE, 0, lag), np.full(n, FAR), cause,
    )  # fmt: skip


def stops_of(world: World, book: Directory, plans: Plans, conversions: tuple[Ints, Ints]) -> Stops:
    """Everything that asks for silence or ends it. `conversions` are planned messages and times of purchases."""
    draw = world.stream("stops")
    answers = _answers(draw, book, plans, world.end)
    parts = [
        answers,
        _alone(world, draw, book),
        _elsewhere(world, draw, book, plans),
        _bought(draw, book, plans, conversions),
    ]
    stops = Stops.stack(parts)
    back = _releases(world, draw, answers)
    every = Stops.stack([stops, back])
    every = every.rows((every.at < world.end) & (every.at >= world.end - world.days * DAY))
    return every.rows(np.argsort(every.at, kind="stable"))


def _answers(draw: np.random.Generator, book: Directory, plans: Plans, end: int) -> Stops:
    """Opt-outs, complaints and hard bounces that messages cause; each person's first one only."""
    real = (plans.purpose == MARKETING) & ~plans.test & (plans.channel != IN_APP) & (plans.due < end)
    email, draws = plans.channel == EMAIL, draw.random(len(plans))
    rate: Floats = np.array([r.opt_out for r in ROUTES] + [0.0] * (len(CAMPAIGNS) - len(ROUTES)))[
        plans.campaign
    ]
    says = np.where(draws < rate, OPT_OUT, -1)
    says[email & (draws > 1 - _COMPLAINTS)] = COMPLAINT
    says[email & (draws > 0.5) & (draws < 0.5 + _BOUNCES)] = HARD_BOUNCE
    chosen = np.flatnonzero(real & (says >= 0))
    wait = np.where(
        says[chosen] == HARD_BOUNCE,
        draw.integers(SECOND, 60 * SECOND, chosen.size), spread(draw, chosen.size, 2400.0, 1.3) + SECOND,
    )  # fmt: skip
    pressed, soon = _pressed(draw, plans, real)
    said = np.concatenate([says[chosen], np.full(pressed.size, OPT_OUT)])
    chosen, at = np.concatenate([chosen, pressed]), np.concatenate([plans.due[chosen] + wait, soon])
    own = plans.person[chosen]
    at += np.arange(at.size) % 1000  # no two answers of a person at the same microsecond
    first = at == least(own, at, book.persons)[own]
    said, chosen, at = said[first], chosen[first], at[first]
    return _rows(draw, said, plans.record[chosen], book, plans.channel[chosen], at, chosen)


def _pressed(draw: np.random.Generator, plans: Plans, real: Bools) -> tuple[Ints, Ints]:
    """First messages whose receivers opt out before the next one of the flow is due: rows and times."""
    later = np.flatnonzero(real & (plans.step > 0))
    later = later[planted(draw, later.size, _PRESSED, least=8)]
    first = np.flatnonzero(plans.step == 0)
    of_signal = np.full(int(plans.signal.max(initial=0)) + 1, -1)
    of_signal[plans.signal[first]] = first
    cause = of_signal[plans.signal[later]]
    gap = plans.due[later] - plans.due[cause]
    crossed = planted(draw, later.size, 0.04)  # the next message was on its way already
    soon = np.where(
        crossed,
        gap - draw.integers(2 * SECOND, 50 * SECOND, later.size),
        gap * draw.uniform(0.2, 0.95, later.size),
    )
    return cause, plans.due[cause] + soon.astype(np.int64)


def _alone(world: World, draw: np.random.Generator, book: Directory) -> Stops:
    """Stops that no message of ours caused: letters, registries, deaths, holds by hand for thirty days."""
    parts = []
    for trigger, a_year, channel in _ALONE:
        n = max(1, round(book.persons * a_year * world.days / 180))
        at = world.end - (draw.random(n) * world.days * DAY).astype(np.int64) - 1
        record = book.some_record(draw, draw.integers(0, book.persons, n))
        rows = _rows(draw, np.full(n, trigger), record, book, np.full(n, channel), at, np.full(n, -1))
        if trigger == MANUAL:
            rows.expires[:] = at + 30 * DAY
        parts.append(rows)
    return Stops.stack(parts)


def _elsewhere(world: World, draw: np.random.Generator, book: Directory, plans: Plans) -> Stops:
    """Opt-outs on the main record of people whose other record, not yet merged, was sent to some days later."""
    apart = (book.joined[plans.node] > plans.due) & (book.joined[plans.node] < FAR)
    cause = np.flatnonzero(apart & (plans.purpose == MARKETING) & ~plans.test & (plans.due < world.end))
    cause = cause[planted(draw, cause.size, 0.06, least=4)]
    at = plans.due[cause] - (draw.uniform(0.05, 15, cause.size) * DAY).astype(np.int64)
    record, none = plans.person[cause], np.full(cause.size, -1)
    return _rows(draw, np.full(cause.size, OPT_OUT), record, book, np.full(cause.size, EMAIL), at, none)


def _bought(draw: np.random.Generator, book: Directory, plans: Plans, bought: tuple[Ints, Ints]) -> Stops:
    """Purchases that end the campaign for a week."""
    chosen = planted(draw, bought[0].size, _CONVERSION_SHARE)
    cause, at = bought[0][chosen], bought[1][chosen]
    rows = _rows(
        draw, np.full(at.size, CONVERSION), plans.record[cause], book, plans.channel[cause], at, cause
    )
    rows.campaign[:] = plans.campaign[cause]
    rows.expires[:] = at + 7 * DAY
    return rows


def _releases(world: World, draw: np.random.Generator, answers: Stops) -> Stops:
    """People who came back of their own will, and imports that brought people back who did not."""
    asked = np.flatnonzero((answers.trigger == OPT_OUT) & (answers.at < world.end - 3 * DAY))
    back = planted(draw, asked.size, 0.12, least=3)
    imported = planted(draw, asked.size, 0.03, least=2) & ~back
    chosen = np.concatenate([asked[back], asked[imported]])
    n, own = chosen.size, int(back.sum())
    base = answers.rows(chosen)
    longest = np.maximum(np.minimum(world.end - base.at, 60 * DAY) - DAY // 2, DAY // 4)
    at = base.at + DAY // 4 + (draw.random(n) * longest).astype(np.int64)
    trigger = np.where(np.arange(n) < own, RE_OPT_IN, MANUAL)
    everywhere = (draw.random(n) < 0.7) | (trigger == MANUAL)
    return Stops(
        trigger, np.ones(n, np.bool_), base.person, base.record, base.node, base.channel, everywhere, np.full(n, -1),
        at, at + draw.integers(0, 3 * SECOND, n), np.full(n, FAR), np.full(n, -1),
    )  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """When each channel knows a stop (FAR: never), and the run it was told by: shapes (stops, channels)."""

    at: Ints
    low: Ints
    by_hand: Bools
    nightly: Bools


def heard(world: World, stops: Stops) -> Heard:
    """Own channel at once, e-mail and push within minutes, text channels by the nightly sync, calls weekly."""
    draw = world.stream("propagation")
    n, width = len(stops), len(CHANNELS)
    known = stops.received[:, None]
    quick = known + (5 + draw.exponential(40.0, (n, width)) * SECOND).astype(np.int64) + SECOND
    night = next_run(np.broadcast_to(known, (n, width)), 24.0 * _HOUR, 3.0 * _HOUR)
    monday = next_run(np.broadcast_to(known, (n, width)), 7 * 24.0 * _HOUR, (4 * 24 + 9.0) * _HOUR)
    run = (draw.random((n, width)) * RUN * SECOND).astype(np.int64)
    to, origin = np.arange(width)[None, :], stops.channel[:, None]
    text_origin = (origin == SMS) | (origin == WHATSAPP)
    texts = (to == SMS) | (to == WHATSAPP)
    nightly = (texts & ~text_origin) | (text_origin & (to == EMAIL)) | (stops.trigger[:, None] == CONVERSION)
    by_hand = (to == VOICE) & (origin != VOICE)
    low = np.where(by_hand, monday, np.where(nightly, night, quick))
    low = np.where(
        (to == IN_APP) | (to == PUSH) | (to == origin), np.where(nightly & (to != origin), low, quick), low
    )
    began, ended = span_of(world, WEBHOOK_DROPPED)
    lost = (known >= began) & (known < ended)
    low = np.where(lost, next_run(low + DAY, 24.0 * _HOUR, 3.0 * _HOUR), low)
    nightly = (nightly | lost) & ~by_hand
    at = np.where(nightly, low + run, low)
    never = draw.random((n, width)) < _NEVER_HEARD
    return Heard(np.where(never, FAR, at), low, np.broadcast_to(by_hand, (n, width)), nightly)
