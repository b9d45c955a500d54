"""Attempts to reach a person: a send, or a refusal of something that was never sent, with what a stop needs to know of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import DAY_US, Facts, day_number, micros, whole
from metrics._suppression_base import REFUSED, REFUSED_CODES, SENT, People, number
from metrics.core.contact import real_activations

FEW_DAYS = 7


def tells(e: FromClause) -> ColumnElement[bool]:
    """Whether a message event says that something was sent or refused."""
    return sa.or_(e.c.event_type == "sent", _refusal(e))


def _refusal(e: FromClause) -> ColumnElement[bool]:
    coded = sa.and_(e.c.event_type == "failed", e.c.provider_code.in_(REFUSED_CODES))
    return sa.or_(e.c.event_type.in_(("blocked", "skipped")), coded)


def few_days(facts: Facts) -> bool:
    """Whether it pays to look first for what the days asked for speak of; many days speak of nearly everything."""
    return facts.span is not None and facts.span.last - facts.span.first < FEW_DAYS


def _heard(facts: Facts, own: sa.Select[tuple[str]] | None = None) -> sa.Subquery:
    """Sends and refusals as told by the providers: activation_id, kind, us; of activations of the span at least.

    `own`: the only activations that are asked for.
    """
    e = facts["message_events"]
    told = tells(e)
    kind = sa.case((e.c.event_type == "sent", SENT), else_=REFUSED)
    rows = sa.select(e.c.activation_id, kind.label("kind"), micros(e.c.event_at).label("us")).where(told)
    if own is not None:
        rows = rows.where(e.c.activation_id.in_(own))
    if few_days(facts):
        rows = rows.where(
            e.c.activation_id.in_(sa.select(e.c.activation_id).where(facts.within(e.c.event_at), told))
        )
    return rows.subquery("heard")


def _in_span(facts: Facts, us: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a time, epoch microseconds, lies in the days asked for."""
    if facts.span is None:
        return sa.true()
    return us.between(number(facts.span.first * DAY_US), number((facts.span.last + 1) * DAY_US - 1))


def _timed(facts: Facts, own: sa.Select[tuple[str]] | None, *, refused_only: bool) -> sa.Subquery:
    """One row an attempt: its first send (seq 0), or each distinct refusal in order where nothing was ever sent.

    Of sends those of the span, of refusals all of activations that have one in the span: the earliest may be charged.
    Refusals are few beside sends: whether theirs were sent after all is asked of their activations alone.
    """
    heard, other, also = _heard(facts, own), _heard(facts), _heard(facts)
    sends = (
        sa.select(heard.c.activation_id, whole(sa.func.min(heard.c.us)).label("us"), number(0).label("seq"))
        .where(heard.c.kind == SENT)
        .group_by(heard.c.activation_id)
        .having(_in_span(facts, sa.func.min(heard.c.us)))
    )
    refusals = sa.select(other.c.activation_id, other.c.us).where(other.c.kind == REFUSED).cte("refusals")
    sent = (
        sa.select(also.c.activation_id)
        .where(also.c.kind == SENT, also.c.activation_id.in_(sa.select(refusals.c.activation_id)))
        .distinct()
        .subquery("sent_after_all")
    )
    seq = sa.func.row_number().over(partition_by=refusals.c.activation_id, order_by=refusals.c.us)
    refused = (
        sa.select(refusals.c.activation_id, refusals.c.us, whole(seq).label("seq"))
        .select_from(refusals.outerjoin(sent, sent.c.activation_id == refusals.c.activation_id))
        .where(sent.c.activation_id.is_(None))
    )
    if facts.span is not None:
        near = sa.select(refusals.c.activation_id).where(_in_span(facts, refusals.c.us))
        refused = refused.where(refusals.c.activation_id.in_(near))
    if refused_only:
        return refused.subquery("timed")
    return sends.union_all(refused).subquery("timed")


def _of_stopped(facts: Facts, people: People) -> sa.Select[tuple[str]]:
    """Activations of persons who have a stop, ever: few beside all."""
    a = facts["activations"]
    joined, root = people.rooted(a)
    return sa.select(a.c.activation_id).select_from(joined).where(root.in_(sa.select(people.stops.c.root)))


def attempts(
    facts: Facts, people: People, *, refused_only: bool = False, stopped_only: bool = False
) -> sa.CTE:
    """Sends and refusals to known persons, tests left out, with what a stop needs to know of them.

    `refused_only`: refusals alone. `stopped_only`: of sends only those to persons who have a stop, ever.
    Columns: activation_id, seq, kind, us, day, root, node, record, channel, campaign_id, provider, purpose, marketing.
    """
    a, own = facts["activations"], _of_stopped(facts, people) if stopped_only else None
    times = _timed(facts, own, refused_only=refused_only)
    joined, root = people.rooted(a)
    joined, node = people.noded(joined, a)
    rows = (
        sa.select(
            a.c.activation_id, times.c.seq, sa.case((times.c.seq == 0, SENT), else_=REFUSED).label("kind"),
            times.c.us, root.label("root"), node.label("node"),
            sa.func.coalesce(a.c.record_id, a.c.person_id).label("record"),
            a.c.channel, a.c.campaign_id, a.c.provider, a.c.purpose,
            sa.case((a.c.purpose == "marketing", 1), else_=0).label("marketing"),
        )
        .select_from(joined.join(times, times.c.activation_id == a.c.activation_id))
        .where(a.c.person_id.is_not(None), real_activations(facts))
        .subquery("tried")
    )  # fmt: skip
    return sa.select(rows, day_number(rows.c.us).label("day")).cte("attempts")
