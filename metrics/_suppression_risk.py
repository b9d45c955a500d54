"""Who would be hurt next: persons under a stop whom a channel can still reach, as of the observation end.

Soft: a reachable channel in scope has not acknowledged the stop. Hard: something is queued or scheduled for the
person that would be a violation if it were sent now; that is the action list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, whole
from metrics._suppression_base import REFUSED, People, listed, number, text
from metrics._suppression_carried import REACH, TABLES, reachable, told
from metrics._suppression_pairs import CLOCKS, POLICIES, Sides, in_view, pairs, reaches
from metrics.core.contact import never, real_activations
from metrics.core.metric import Choice, Rollup
from metrics.core.shapes import Columns, Counts, Ints

KINDS = ("any", "soft", "hard")


@dataclass(frozen=True)
class AtRisk:
    """Cells of one slice: policy, clock, and persons at risk by kind; n is persons under a stop or waited for."""

    policy: Ints
    clock: Ints
    n: Ints
    soft: Ints
    hard: Ints
    either: Ints

    @classmethod
    def of(cls, columns: Columns) -> AtRisk:
        return cls(*(columns[c].astype(np.int64) for c in ("policy", "clock", "n", "soft", "hard", "either")))

    def persons(self, choice: Choice) -> tuple[int, int]:
        """Persons at risk of the kind chosen, and all under a stop."""
        kept = (self.policy == POLICIES.index(choice["policy"])) & (
            self.clock == CLOCKS.index(choice["clock"])
        )
        kinds = {"any": self.either, "soft": self.soft, "hard": self.hard}
        return int(kinds[choice["kind"]][kept].sum()), int(self.n[kept].sum())


def _waiting(facts: Facts, people: People) -> sa.CTE:
    """Activations queued or scheduled and not yet sent, as attempts at the observation end."""
    a, e = facts["activations"], facts["message_events"]
    joined, root = people.rooted(a)
    joined, node = people.noded(joined, a)
    queued = sa.func.max(sa.case((e.c.event_type == "queued", 1), else_=0))
    gone = sa.func.max(sa.case((e.c.event_type.in_(("queued", "deferred")), 0), else_=1))
    seen = (
        sa.select(e.c.activation_id, queued.label("queued"), gone.label("gone"))
        .group_by(e.c.activation_id)
        .subquery("seen")
    )
    waits = sa.or_(sa.func.coalesce(seen.c.queued, 0) == 1, a.c.scheduled_for.is_not(None))
    us = number(facts.observed_us)
    return (
        sa.select(
            a.c.activation_id, number(1).label("seq"), number(REFUSED).label("kind"), us.label("us"), root.label("root"),
            node.label("node"), sa.func.coalesce(a.c.record_id, a.c.person_id).label("record"), a.c.channel,
            a.c.campaign_id, a.c.provider, a.c.purpose,
        )
        .select_from(joined.outerjoin(seen, seen.c.activation_id == a.c.activation_id))
        .where(waits, sa.func.coalesce(seen.c.gone, 0) == 0, a.c.person_id.is_not(None), real_activations(facts))
        .cte("waiting")
    )  # fmt: skip


def _standing(facts: Facts, sides: Sides) -> sa.Subquery:
    """Stops in force at the observation end, with the channels in which the person can still be reached unheard."""
    stop, free, heard = sides.stops, sides.people.free, told(facts, sides.stops)
    could, end = reachable(facts, sides.people), number(facts.observed_us)
    lifted = sa.and_(
        free.c.root == stop.c.root, free.c.us > stop.c.from_us, free.c.us <= end, listed(free.c.channels, could.c.channel),
        sa.or_(free.c.programmes.is_(None), free.c.programmes == text("*")),
    )  # fmt: skip
    unheard = sa.func.coalesce(heard.c.heard_us, never()) > end
    return (
        sa.select(
            stop.c.root, stop.c.from_us, stop.c.known_us, stop.c.trigger_type, stop.c.origin_channel, stop.c.jurisdiction,
            could.c.channel, sa.case((reaches(stop, could.c.channel), 1), else_=0).label("industry"),
            sa.case((sa.and_(unheard, free.c.root.is_(None)), 1), else_=0).label("soft"), number(0).label("hard"),
        )
        .select_from(
            stop.join(could, could.c.root == stop.c.root)
            .outerjoin(heard, sa.and_(heard.c.rank == stop.c.rank, heard.c.channel == could.c.channel))
            .outerjoin(free, lifted)
        )
        .where(stop.c.from_us < end, end < stop.c.expires_us)
        .subquery("standing")
    )  # fmt: skip


def threatened(facts: Facts) -> sa.Subquery:
    """One row a person, channel and stop, for each policy and clock, with the kind of risk."""
    people = People.of(facts)
    waiting = _waiting(facts, people)
    sides = Sides.of(Facts(facts.tables, observed_us=facts.observed_us), people, waiting)
    standing, pair, stop = _standing(facts, sides), pairs(sides), sides.stops
    parts = []
    dims = ("trigger_type", "origin_channel", "jurisdiction")
    for p, c in ((p, c) for p in POLICIES for c in CLOCKS):
        keys = (number(POLICIES.index(p)).label("policy"), number(CLOCKS.index(c)).label("clock"))
        known = standing.c.known_us < number(facts.observed_us) if c == "received" else sa.true()
        scoped = standing.c.industry == 1 if p == "industry" else sa.true()
        parts.append(
            sa.select(
                standing.c.root, standing.c.from_us, *(standing.c[d] for d in dims), standing.c.channel, *keys,
                standing.c.soft, standing.c.hard,
            ).where(known, scoped)
        )  # fmt: skip
        joined = pair.join(waiting, waiting.c.activation_id == pair.c.activation_id).join(
            stop, stop.c.rank == pair.c.rank
        )
        parts.append(
            sa.select(
                waiting.c.root, stop.c.from_us, *(stop.c[d] for d in dims), waiting.c.channel, *keys, number(0), number(1)
            )
            .select_from(joined)
            .where(in_view(pair, p, "truth", c))
        )  # fmt: skip
    return sa.union_all(*parts).subquery("threatened")


def _select(facts: Facts) -> sa.Select[Any]:
    risks = threatened(facts)
    rows = sa.select(risks, day_number(risks.c.from_us).label("stopped_on")).subquery("risks")
    inside = sa.true() if facts.span is None else rows.c.stopped_on.between(facts.span.first, facts.span.last)
    pinned = [(n, v) for n, v in facts.where if n in rows.c]
    keys = [rows.c.root, *(rows.c[d] for d in facts.dims), rows.c.policy, rows.c.clock]
    soft, hard = sa.func.max(rows.c.soft), sa.func.max(rows.c.hard)
    one = (
        sa.select(
            *keys, sa.func.min(rows.c.stopped_on).label("day"), soft.label("soft"), hard.label("hard"),
            sa.case((soft + hard > 0, 1), else_=0).label("either"),
        )
        .where(inside, *(rows.c[n] == v for n, v in pinned))
        .group_by(*keys)
        .subquery("one")
    )  # fmt: skip
    outer: list[ColumnElement[Any]] = [one.c.day, *(one.c[d] for d in facts.dims), one.c.policy, one.c.clock]
    sums = [whole(sa.func.sum(one.c[c])).label(c) for c in ("soft", "hard", "either")]
    return sa.select(*outer, whole(sa.func.count()).label("n"), *sums).group_by(*outer)


AT_RISK: Rollup[AtRisk] = Rollup(
    key="suppression.at_risk",
    title="Persons under a stop whom a channel can still reach",
    tables=TABLES,
    dims=("channel", "trigger_type", "origin_channel", "jurisdiction"),
    inner=("policy", "clock"),
    shapes=(Counts(("n", "soft", "hard", "either")),),
    select=_select,
    cells=AtRisk.of,
    reach=REACH,
    observed=("message_events", "suppression_events"),
    stored=False,
)
