"""How long a stop takes to reach a channel, and who is still at risk: pairs of a stop and a channel.

A delay is known exactly where a channel acknowledged the stop; otherwise it lies after the last violating send
and before the first refusal. Where nothing was attempted and nothing acknowledged, the pair says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import Facts, day_number, double, micros, real, whole
from metrics._suppression_attempts import attempts
from metrics._suppression_base import People, number, picked, text
from metrics._suppression_pairs import POLICIES, Sides, in_side, pairs, reaches
from metrics.core.contact import never, real_activations
from metrics.core.metric import Choice, Reach, Rollup
from metrics.core.shapes import Columns, Counts, Floats, Ints

Flags = NDArray[np.bool_]
SECOND_US = 1_000_000
OPEN = -1
DIMS = ("channel", "trigger_type", "origin_channel", "mode", "jurisdiction")
TABLES = (
    "suppression_events", "suppression_propagations", "message_events", "activations", "consents", "person_merges",
    "data_watermarks",
)  # fmt: skip
REACH = tuple(
    (name, Reach.ALL) for name in ("suppression_events", "message_events", "consents", "person_merges")
)


@dataclass(frozen=True)
class Carried:
    """Cells of one slice, one entry each: policy (0 strict, 1 industry), whether the pair says anything, the bounds
    of its delay in seconds (high is inf while open), and pairs.
    """

    policy: Ints
    telling: Ints
    low: Floats
    high: Floats
    n: Ints

    @classmethod
    def of(cls, columns: Columns) -> Carried:
        high = columns["high"].astype(float)
        return cls(
            columns["policy"].astype(np.int64), columns["telling"].astype(np.int64), columns["low"].astype(float),
            np.where(high == OPEN, np.inf, high), columns["n"].astype(np.int64),
        )  # fmt: skip

    def of_policy(self, choice: Choice, telling: int | None = None) -> Flags:
        kept: Flags = self.policy == POLICIES.index(choice["policy"])
        return kept if telling is None else kept & (self.telling == telling)


def _from_attempts(sides: Sides, policy: str) -> sa.Subquery:
    """By stop and channel: the last violating send and the first refusal after it (rank, channel, low_us, high_us)."""
    pair, tried = pairs(sides), sides.tried
    joined = pair.join(
        tried, sa.and_(tried.c.activation_id == pair.c.activation_id, tried.c.seq == pair.c.seq)
    )
    rows = (
        sa.select(pair.c.rank, tried.c.channel, tried.c.us, tried.c.seq)
        .select_from(joined)
        .where(in_side(pair, policy, "truth"))
        .cte(f"{policy}_pairs")
    )
    last = sa.func.coalesce(sa.func.max(sa.case((rows.c.seq == 0, rows.c.us))), number(0))
    ends = (
        sa.select(rows.c.rank, rows.c.channel, last.label("low_us"))
        .group_by(rows.c.rank, rows.c.channel)
        .subquery()
    )
    refused = sa.and_(
        rows.c.rank == ends.c.rank,
        rows.c.channel == ends.c.channel,
        rows.c.seq > 0,
        rows.c.us > ends.c.low_us,
    )
    return (
        sa.select(
            ends.c.rank,
            ends.c.channel,
            ends.c.low_us,
            sa.func.coalesce(sa.func.min(rows.c.us), never()).label("high_us"),
        )
        .select_from(ends.outerjoin(rows, refused))
        .group_by(ends.c.rank, ends.c.channel, ends.c.low_us)
        .subquery(f"{policy}_bounds")
    )


def told(facts: Facts, stops: FromClause) -> sa.Subquery:
    """What was acknowledged, by stop and channel: rank, low_us, high_us, heard_us (first acknowledgement), mode."""
    p = facts["suppression_propagations"]
    exact, low, high = micros(p.c.acknowledged_at), micros(p.c.ack_lo), micros(p.c.ack_hi)
    silent = sa.and_(p.c.acknowledged_at.is_(None), p.c.ack_lo.is_(None), p.c.ack_hi.is_(None))
    rows = (
        sa.select(
            p.c.suppression_event_id, p.c.channel, p.c.mode,
            sa.case((silent, number(facts.observed_us)), else_=sa.func.coalesce(exact, low, number(0))).label("low_us"),
            sa.func.coalesce(exact, high, never()).label("high_us"),
        ).subquery("acknowledged")
    )  # fmt: skip
    by_hand = sa.func.max(sa.case((rows.c.mode == "manual", 2), (rows.c.mode == "automatic", 1), else_=0))
    return (
        sa.select(
            stops.c.rank, rows.c.channel, sa.func.max(rows.c.low_us).label("low_us"),
            sa.func.max(rows.c.high_us).label("high_us"), sa.func.min(rows.c.high_us).label("heard_us"),
            by_hand.label("hand"),
        )
        .select_from(rows.join(stops, stops.c.event_id == rows.c.suppression_event_id))
        .group_by(stops.c.rank, rows.c.channel)
        .subquery("told")
    )  # fmt: skip


def reachable(facts: Facts, people: People) -> sa.Subquery:
    """Channels in which a person can be reached: those used before, and those with consent. root, channel."""
    a, c = facts["activations"], facts["consents"]
    used, owner = people.rooted(a)
    agreed, giver = people.rooted(c)
    known = sa.and_(real_activations(facts), a.c.person_id.is_not(None))
    tried = sa.select(owner.label("root"), a.c.channel).select_from(used).where(known)
    given = sa.select(giver.label("root"), c.c.channel).select_from(agreed).where(c.c.status == "subscribed")
    return tried.union(given).subquery("reachable")


def _of_policy(facts: Facts, sides: Sides, heard: FromClause, policy: str) -> sa.Select[Any]:
    stops = sides.stops
    seen, could = _from_attempts(sides, policy), reachable(facts, sides.people)
    in_scope = sa.true() if policy == "strict" else reaches(stops, could.c.channel)
    all_pairs = sa.union(
        sa.select(seen.c.rank, seen.c.channel),
        sa.select(heard.c.rank, heard.c.channel),
        sa.select(stops.c.rank, could.c.channel)
        .select_from(stops.join(could, could.c.root == stops.c.root))
        .where(in_scope),
    ).subquery(f"{policy}_all")
    told_us = sa.case((heard.c.rank.is_not(None), heard.c.low_us), else_=seen.c.low_us)
    ends_us = sa.case((heard.c.rank.is_not(None), heard.c.high_us), else_=seen.c.high_us)
    telling = sa.or_(heard.c.rank.is_not(None), seen.c.rank.is_not(None))
    mode = sa.case(
        (heard.c.hand == 2, text("manual")), (heard.c.hand == 1, text("automatic")), else_=text("unknown")
    )
    keyed = (
        all_pairs.join(stops, stops.c.rank == all_pairs.c.rank)
        .outerjoin(seen, sa.and_(seen.c.rank == all_pairs.c.rank, seen.c.channel == all_pairs.c.channel))
        .outerjoin(heard, sa.and_(heard.c.rank == all_pairs.c.rank, heard.c.channel == all_pairs.c.channel))
    )
    return sa.select(
        stops.c.from_us, all_pairs.c.channel, stops.c.trigger_type, stops.c.origin_channel, mode.label("mode"),
        stops.c.jurisdiction, number(POLICIES.index(policy)).label("policy"), sa.case((telling, 1), else_=0).label("telling"),
        sa.func.coalesce(told_us, number(0)).label("low_us"), sa.func.coalesce(ends_us, never()).label("high_us"),
    ).select_from(keyed)  # fmt: skip


def _after(us: ColumnElement[int], since: ColumnElement[int]) -> ColumnElement[int]:
    """Whole seconds from one time to another, never below 0."""
    seconds = whole(sa.func.round(double(us - since) / real(SECOND_US)))
    return sa.case((us > since, seconds), else_=0)


def _select(facts: Facts) -> sa.Select[Any]:
    people = People.of(facts)
    everything = Facts(
        facts.tables, observed_us=facts.observed_us
    )  # a stop may be violated long after its day
    sides = Sides.of(everything, people, attempts(everything, people, stopped_only=True))
    heard = told(facts, sides.stops)
    both = sa.union_all(*(_of_policy(facts, sides, heard, p) for p in POLICIES)).subquery("carried")
    high = sa.case((both.c.high_us >= never(), OPEN), else_=_after(both.c.high_us, both.c.from_us))
    rows = sa.select(
        both, day_number(both.c.from_us).label("day"), whole(_after(both.c.low_us, both.c.from_us)).label("low"),
        whole(high).label("high"),
    ).subquery("delays")  # fmt: skip
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    keys: list[ColumnElement[Any]] = [
        rows.c.day, *(rows.c[d] for d in facts.dims), rows.c.policy, rows.c.telling, rows.c.low, rows.c.high
    ]  # fmt: skip
    return (
        sa.select(*keys, whole(sa.func.count()).label("n")).where(inside, picked(rows, facts)).group_by(*keys)
    )


CARRIED: Rollup[Carried] = Rollup(
    key="suppression.carried",
    title="How long a stop takes to reach a channel",
    tables=TABLES,
    dims=DIMS,
    inner=("policy", "telling", "low", "high"),
    shapes=(Counts(("n",)),),
    select=_select,
    cells=Carried.of,
    reach=REACH,
    observed=("message_events", "suppression_events"),
    stored=False,
)
