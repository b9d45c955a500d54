"""Which stop stands against which attempt, and to which stop a violation is charged in each of eight views.

A view is policy (strict, industry) x identity (truth, known) x clock (effective, received). One pass over the
attempts finds their pairs with the flags of all views; a violation is charged to the earliest stop of its view.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.obligations import profile
from data.schema import TRIGGERS
from data.sql import Facts, double, micros, real, whole
from metrics._suppression_base import (
    ABSOLUTE,
    CONVERSION_PROGRAMMES,
    EXEMPT,
    People,
    confirmations,
    lifts,
    listed,
    number,
    text,
)
from metrics._suppression_law import due_key
from metrics.core.contact import never, real_activations

POLICIES, IDENTITIES, CLOCKS = ("strict", "industry"), ("truth", "known"), ("effective", "received")
SIDES = tuple(product(POLICIES, IDENTITIES))  # the views of one clock
SEQ = 1 << 40  # orders pairs of one activation by attempt, then by stop
FLOOR = -(1 << 62)


@dataclass(frozen=True)
class Sides:
    """One statement's attempts, stops and releases, and what joins them."""

    people: People
    tried: FromClause
    stops: FromClause
    lifted: FromClause
    confirmed: FromClause

    @classmethod
    def of(cls, facts: Facts, people: People, tried: FromClause) -> Sides:
        confirming = confirmations(tried, confirmation_sends(facts, people), people.stops)
        return cls(people, tried, people.stops, lifts(tried, people.free), confirming)


def confirmation_sends(facts: Facts, people: People) -> sa.CTE:
    """Every opt-out confirmation that was sent, in any period: activation_id, root, us."""
    a, e = facts["activations"], facts["message_events"]
    joined, root = people.rooted(a)
    rows = (
        sa.select(a.c.activation_id, root.label("root"), micros(e.c.event_at).label("us"))
        .select_from(joined.join(e, e.c.activation_id == a.c.activation_id))
        .where(a.c.purpose == "opt_out_confirmation", e.c.event_type == "sent", a.c.person_id.is_not(None))
        .where(real_activations(facts))
        .subquery("confirmation_events")
    )
    return (
        sa.select(rows.c.activation_id, rows.c.root, whole(sa.func.min(rows.c.us)).label("us"))
        .group_by(rows.c.activation_id, rows.c.root)
        .cte("confirmation_sends")
    )


def _triggers(test: str, answer: str) -> tuple[str, ...]:
    return tuple(t for t in TRIGGERS if str(getattr(profile("industry", t), test)) == answer)


def reaches(stop: FromClause, channel: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a stop reaches a channel in the industry profile; in the strict one every stop does."""
    own = stop.c.trigger_type.in_(_triggers("channels", "own"))
    return sa.and_(
        stop.c.trigger_type.not_in(_triggers("stops", "False")),
        sa.case((own, stop.c.origin_channel == channel), else_=listed(stop.c.scope_channels, channel)),
    )


def _in_industry(stop: FromClause, tried: FromClause) -> ColumnElement[int]:
    """1 where the industry profile lets this stop reach the attempt's channel and programme."""
    owned = stop.c.trigger_type.in_(_triggers("programme", "own"))
    named = sa.func.coalesce(stop.c.scope_program, text("|".join(CONVERSION_PROGRAMMES)))
    programmes = sa.case((owned, named), else_=stop.c.scope_program)
    whole_channel = stop.c.trigger_type.in_(_triggers("channels", "own"))
    in_programme = sa.or_(
        whole_channel, sa.func.coalesce(listed(programmes, tried.c.campaign_id), sa.false())
    )
    return sa.case((sa.and_(reaches(stop, tried.c.channel), in_programme), 1), else_=0)


def _stopped(stop: FromClause, tried: FromClause, confirmed: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the attempt's purpose is stopped by this stop."""
    return sa.or_(
        sa.and_(stop.c.trigger_type == "hard_bounce", tried.c.channel == stop.c.origin_channel),
        sa.and_(
            confirmed.is_(None),
            sa.or_(
                stop.c.scope_purpose == "all", stop.c.trigger_type.in_(ABSOLUTE), tried.c.purpose.not_in(EXEMPT)
            ),
        ),
    )  # fmt: skip


# fmt: off
def met(sides: Sides) -> sa.Subquery:
    """Attempts with the stops that began strictly before them and had not expired, released or not.

    Columns: activation_id, seq, rank, after_us (how long after the stop), due, industry, linked, heard, held (not released),
    stopped (its purpose).
    """
    tried, stop, lifted, confirmed, people = (
        sides.tried,
        sides.stops,
        sides.lifted,
        sides.confirmed,
        sides.people,
    )
    link = people.linked.alias()
    began = sa.and_(stop.c.root == tried.c.root, stop.c.from_us < tried.c.us, tried.c.us < stop.c.expires_us)
    source = (
        tried.join(stop, began)
        .outerjoin(
            lifted, sa.and_(lifted.c.activation_id == tried.c.activation_id, lifted.c.seq == tried.c.seq)
        )
        .outerjoin(
            confirmed,
            sa.and_(confirmed.c.activation_id == tried.c.activation_id, confirmed.c.seq == tried.c.seq),
        )
        .outerjoin(
            link,
            sa.and_(
                link.c.person == tried.c.node, link.c.other == stop.c.node,
                link.c.since_us <= tried.c.us, tried.c.us < link.c.until_us,
            ),
        )
    )
    one = sa.or_(tried.c.node == stop.c.node, link.c.person.is_not(None))
    held = stop.c.from_us >= sa.func.coalesce(lifted.c.lifted_us, number(FLOOR))
    return (
        sa.select(
            tried.c.activation_id, tried.c.seq, stop.c.rank, (tried.c.us - stop.c.from_us).label("after_us"),
            sa.case((stop.c.known_us < tried.c.us, due_key(stop, tried.c.channel)), else_=never()).label("due"),
            _in_industry(stop, tried).label("industry"), sa.case((one, 1), else_=0).label("linked"),
            sa.case((stop.c.known_us < tried.c.us, 1), else_=0).label("heard"), sa.case((held, 1), else_=0).label("held"),
            sa.case((_stopped(stop, tried, confirmed.c.activation_id), 1), else_=0).label("stopped"),
        )
        .select_from(source)
        .subquery("met")
    )  # fmt: skip
# fmt: on


def pairs(sides: Sides) -> sa.Subquery:
    """The pairs of an attempt and a stop that it violates (or would have, where it was refused)."""
    rows = met(sides)
    return sa.select(rows).where(rows.c.held == 1, rows.c.stopped == 1).subquery("pairs")


def in_side(pair: FromClause, policy: str, identity: str) -> ColumnElement[bool]:
    tests = [pair.c.industry == 1] if policy == "industry" else []
    tests += [pair.c.linked == 1] if identity == "known" else []
    return sa.and_(sa.true(), *tests)


def in_view(pair: FromClause, policy: str, identity: str, clock: str) -> ColumnElement[bool]:
    return sa.and_(in_side(pair, policy, identity), *([pair.c.heard == 1] if clock == "received" else []))


def _earliest(pair: FromClause) -> sa.CTE:
    """One row an activation: the place of the charged pair of each view (c_policy_identity_clock) and its nearest
    legal deadline (d_policy_identity), NEVER where there is none.
    """
    place = pair.c.seq * SEQ + pair.c.rank
    charges = [
        sa.func.min(sa.case((in_view(pair, p, i, c), place), else_=never())).label(f"c_{p}_{i}_{c}")
        for (p, i), c in product(SIDES, CLOCKS)
    ]
    dues = [
        sa.func.min(sa.case((in_side(pair, p, i), pair.c.due), else_=never())).label(f"d_{p}_{i}")
        for p, i in SIDES
    ]
    return sa.select(pair.c.activation_id, *charges, *dues).group_by(pair.c.activation_id).cte("earliest")


def _same(rows: FromClause, clock: str, one: tuple[str, str], two: tuple[str, str]) -> ColumnElement[bool]:
    a, b = "_".join(one), "_".join(two)
    return sa.and_(rows.c[f"c_{a}_{clock}"] == rows.c[f"c_{b}_{clock}"], rows.c[f"d_{a}"] == rows.c[f"d_{b}"])


def _flag(test: ColumnElement[bool]) -> ColumnElement[int]:
    return whole(sa.case((test, 1), else_=0))


def _charges_of(rows: FromClause, clock: str, at: int) -> sa.Select[Any]:
    """Charges first made by the view SIDES[at] of a clock, with a flag for every view that makes the same one."""
    mine = SIDES[at]
    place = rows.c[f"c_{'_'.join(mine)}_{clock}"]
    new = [sa.not_(_same(rows, clock, mine, SIDES[j])) for j in range(at)]
    flags, late, apart = [], [], []
    for j, side in enumerate(SIDES):
        name = "_".join(side)
        same = sa.true() if j == at else (_same(rows, clock, mine, side) if j > at else sa.false())
        unheard = rows.c[f"c_{name}_received"] == never() if clock == "effective" else sa.false()
        flags.append(_flag(same).label(name))
        late.append(_flag(sa.and_(same, unheard)).label(f"{name}_late"))
        if side[1] == "truth":
            unlinked = rows.c[f"c_{side[0]}_known_{clock}"] == never()
            apart.append(_flag(sa.and_(same, unlinked)).label(f"{side[0]}_apart"))
    due = rows.c[f"d_{'_'.join(mine)}"]
    seq = whole(sa.func.floor(double(place) / real(SEQ)))
    return sa.select(
        rows.c.activation_id, number(CLOCKS.index(clock)).label("clock"), seq.label("seq"), (place % SEQ).label("rank"),
        due.label("due"), *flags, *late, *apart,
    ).where(place < never(), *new)  # fmt: skip


FLAGS = tuple("_".join(s) for s in SIDES)
LATE = tuple(f"{f}_late" for f in FLAGS)
APART = tuple(f"{p}_apart" for p in POLICIES)


def charges(sides: Sides) -> tuple[sa.Subquery, sa.CTE]:
    """Each distinct charge of an activation (activation_id, clock, seq, rank, due, flags of the views that make it),
    and the table of activations that have any.
    """
    rows = _earliest(pairs(sides))
    parts = [_charges_of(rows, clock, at) for clock in CLOCKS for at in range(len(SIDES))]
    return sa.union_all(*parts).subquery("charges"), rows
