"""Sends and stops: what reached a person and when they asked for it to end. Shared SQL of two families."""

from __future__ import annotations

import sqlalchemy as sa

from data.sql import Facts, micros, whole
from metrics.core.persons import rooted

NEVER = 9_000_000_000_000_000_000  # a time that never comes, epoch microseconds


def instant(us: int) -> sa.ColumnElement[int]:
    """A time as a typed constant, epoch microseconds."""
    return sa.literal_column(str(int(us)), sa.BigInteger())


def never() -> sa.ColumnElement[int]:
    return instant(NEVER)


def end_of(facts: Facts) -> sa.ColumnElement[int]:
    """The observation end: what happened later was not observed (everything, where the rollup asks for none)."""
    return instant(facts.observed_us or NEVER)


def first_sent(facts: Facts) -> sa.Subquery:
    """Hand-off to the provider of each activation that was sent: activation_id, sent_us, received_us."""
    e = facts["message_events"]
    rows = (
        sa.select(
            e.c.activation_id, micros(e.c.event_at).label("us"), micros(e.c.received_at).label("received")
        )
        .where(e.c.event_type == "sent")
        .subquery("sent_events")
    )
    return (
        sa.select(  # the end is inclusive
            rows.c.activation_id,
            whole(sa.func.min(rows.c.us)).label("sent_us"),
            whole(sa.func.min(rows.c.received)).label("received_us"),
        )
        .where(rows.c.us <= end_of(facts))
        .group_by(rows.c.activation_id)
        .subquery("sends")
    )


def real_activations(facts: Facts) -> sa.ColumnElement[bool]:
    """Test activations count nowhere."""
    a = facts["activations"]
    return sa.or_(a.c.is_test.is_(None), a.c.is_test == sa.false())


def stops(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """Marketing suppressions by root person, ended by any later person-originated release or by expiry.

    Columns root, from_us, until_us. A release in any channel counts: definitions section 1, state 8.
    """
    s = facts["suppression_events"]
    joined, root = rooted(s, known)
    rows = (
        sa.select(
            root.label("root"),
            s.c.action,
            s.c.trigger_type,
            micros(s.c.effective_at).label("us"),
            micros(s.c.expires_at).label("expires_us"),
        )
        .select_from(joined)
        .subquery("suppressions")
    )
    out, back = rows.alias("stop"), rows.alias("release")
    released = sa.and_(
        back.c.root == out.c.root,
        back.c.action == "release",
        back.c.trigger_type == "re_opt_in",
        back.c.us > out.c.us,
    )
    ended = (
        sa.select(
            out.c.root,
            out.c.us.label("from_us"),
            sa.func.coalesce(out.c.expires_us, never()).label("expires_us"),
            sa.func.coalesce(sa.func.min(back.c.us), never()).label("released_us"),
        )
        .select_from(out.outerjoin(back, released))
        .where(out.c.action == "suppress", out.c.us <= end_of(facts))
        .group_by(out.c.root, out.c.us, out.c.expires_us)
        .subquery("ended")
    )
    until = sa.case((ended.c.expires_us < ended.c.released_us, ended.c.expires_us), else_=ended.c.released_us)
    return sa.select(ended.c.root, ended.c.from_us, until.label("until_us")).subquery("stops")
