"""What came of each planned message: sent, withheld rightly, refused on the way, or sent although it should not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.directory import Directory, same_group
from data.demo.draws import DAY, SECOND, Bools, Ints, World
from data.demo.frames import FAR, any_of, pairs_of, planted
from data.demo.outcomes import KINDS, Outcomes
from data.demo.plans import LEGAL_NOTICES, ORDERS, STOP_CONFIRMATION, Plans
from data.demo.routes import CHANNELS, CONFIRMATION, EMAIL, LEGAL, MARKETING, SMS, TRANSACTIONAL, VOICE
from data.demo.stops import COMPLAINT, DECEASED, ERASURE, HARD_BOUNCE, OPT_OUT, RE_OPT_IN, Heard, Stops

ABSENT, SENT, SKIPPED, BLOCKED, FAILED, QUEUED = range(6)
_FAILURES = 0.006
_OVER_SUPPRESSED = 0.05


def other_messages(world: World, book: Directory, stops: Stops, outcomes: Outcomes) -> Plans:
    """Order confirmations, legal notices and confirmations of opt-outs: no model asked for them."""
    draw = world.stream("other messages")
    bought = np.flatnonzero((outcomes.kind == KINDS.index("purchase")) & (draw.random(len(outcomes)) < 0.3))
    to = outcomes.rows(bought)
    orders = _plans(
        book, to.record, np.full(bought.size, EMAIL), ORDERS, TRANSACTIONAL,
        to.at + draw.integers(20 * SECOND, 300 * SECOND, bought.size),
    )  # fmt: skip
    n = max(1, round(book.persons * world.days / 180 * 0.02))
    person = draw.integers(0, book.persons, n)
    at = world.end - (draw.random(n) * world.days * DAY).astype(np.int64) - 1
    notices = _plans(book, person, np.full(n, EMAIL), LEGAL_NOTICES, LEGAL, at)
    return Plans.stack([orders, notices, _confirmations(draw, book, stops)])


def _confirmations(draw: np.random.Generator, book: Directory, stops: Stops) -> Plans:
    """One text that confirms a STOP, mostly within seconds; a few come too late or twice."""
    asked = np.flatnonzero((stops.trigger == OPT_OUT) & (stops.channel == SMS))
    late, twice = planted(draw, asked.size, 0.03), planted(draw, asked.size, 0.02)
    wait = np.where(late, draw.integers(400, 4000, asked.size), draw.integers(2, 40, asked.size)) * SECOND
    rows = np.concatenate([asked, asked[twice]])
    at = stops.at[rows] + np.concatenate([wait, wait[twice] + 60 * SECOND])
    to = stops.rows(rows)
    return _plans(book, to.record, to.channel, STOP_CONFIRMATION, CONFIRMATION, at)


def _plans(book: Directory, record: Ints, channel: Ints, campaign: int, purpose: int, due: Ints) -> Plans:
    n = record.size
    return Plans(
        np.full(n, -1), np.full(n, campaign), np.zeros(n, np.int64), book.person[record], record, book.node[record],
        channel, np.full(n, purpose), due - SECOND, due, np.zeros(n, np.bool_),
    )  # fmt: skip


def released(stops: Stops, key: Ints, *, valid_only: bool) -> Ints:
    """When each stop was first released in each channel after it began: shape (stops, channels), FAR for never."""
    out = np.full((len(stops), len(CHANNELS)), FAR)
    back = stops.release & ((stops.trigger == RE_OPT_IN) if valid_only else True)
    which = np.flatnonzero(back)
    left, right = pairs_of(key, key[which])
    right = which[right]
    later = stops.at[right] > stops.at[left]
    left, right = left[later], right[later]
    for channel in range(len(CHANNELS)):
        covers = stops.everywhere[right] | (stops.channel[right] == channel)
        np.minimum.at(out[:, channel], left[covers], stops.at[right[covers]])
    return out


@dataclass(frozen=True)
class Conduct:
    """Status of each planned message, and the code a refusal carries (0 for none): shapes (m,)."""

    status: Ints
    refused_for: Ints


def conducted(world: World, book: Directory, plans: Plans, stops: Stops, told: Heard) -> Conduct:
    """Decide for every planned message what the engine and the provider knew when it was due."""
    draw = world.stream("conduct")
    n = len(plans)
    knows, provider, trigger = _knowledge(book, plans, stops, told, n)
    luck, over = draw.random(n), draw.random(n)
    marketing = (plans.purpose == MARKETING) & ~plans.test
    status = np.full(n, SENT)
    status[draw.random(n) < _FAILURES] = FAILED
    status[provider & marketing & (over < 0.93)] = BLOCKED
    withheld = knows & marketing
    status[withheld] = np.where(luck < 0.68, ABSENT, np.where(luck < 0.88, SKIPPED, BLOCKED))[withheld]
    exempt = ~marketing & (plans.purpose != CONFIRMATION) & ~plans.test
    open_to = np.flatnonzero(knows & exempt)
    over_suppressed = any_of(open_to[planted(draw, open_to.size, _OVER_SUPPRESSED)], n)
    absolute = np.isin(trigger, (ERASURE, DECEASED, HARD_BOUNCE)) & knows & exempt
    status[over_suppressed | absolute] = SKIPPED
    later = plans.due >= world.end
    status[later & (status != ABSENT)] = QUEUED
    status[plans.made >= world.end] = ABSENT
    return Conduct(status, np.where(status == BLOCKED, trigger, -1))


def _knowledge(book: Directory, plans: Plans, stops: Stops, told: Heard, n: int) -> tuple[Bools, Bools, Ints]:
    """Of each message: does the engine know a stop, does the provider, and by which trigger."""
    group = same_group(book)
    key = group[stops.person]
    free_again = released(stops, key, valid_only=False)
    left, right = pairs_of(group[plans.person], np.where(stops.release, -1, key))
    due, channel = plans.due[left], plans.channel[left]
    began = (stops.at[right] < due) & (due < stops.expires[right])
    began &= free_again[right, channel] > due
    began &= (stops.campaign[right] < 0) | (stops.campaign[right] == plans.campaign[left])
    linked = book.linked(plans.node[left], stops.node[right], due)
    knows = began & linked & (told.at[right, channel] <= due)
    own = (stops.channel[right] == channel) & (stops.node[right] == plans.node[left]) & (channel != VOICE)
    spoken = np.isin(stops.trigger[right], (OPT_OUT, COMPLAINT, HARD_BOUNCE))
    provider = began & own & spoken & (due > stops.at[right] + 5 * SECOND)
    trigger = np.full(n, -1)
    relevant = knows | provider
    trigger[left[relevant]] = stops.trigger[right[relevant]]
    return any_of(left[knows], n), any_of(left[provider], n), trigger
