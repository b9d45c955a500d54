"""How each signal of the days asked for was contacted: its first send, where it went, and whether any arrived.

Links name their signals, and messages their activations, by id alone. So those of the days asked for are looked for
first: what is put in order then grows with these days and not with all that was ever sent.
"""

from __future__ import annotations

import sqlalchemy as sa

from data.sql import Facts, micros, whole
from metrics.core.contact import end_of, never, real_activations

UNDELIVERED = ("failed", "rejected", "blocked", "bounced_hard", "bounced_soft")
ARRIVED = ("delivered", "opened", "clicked", "read", "replied", "complained", "unsubscribed")


def _links(facts: Facts) -> sa.CTE:
    """Activations of the signals of the days asked for: signal_id, activation_id."""
    link, s = facts["activation_signals"], facts["signals"]
    own = sa.select(s.c.signal_id).where(facts.within(s.c.scored_at))
    theirs = sa.true() if facts.span is None else link.c.signal_id.in_(own)
    return sa.select(link.c.signal_id, link.c.activation_id).where(theirs).cte("links_asked")


def _fates(facts: Facts, link: sa.CTE) -> sa.Subquery:
    """When each linked activation was sent, and whether it is known to have failed: activation_id, sent_us, lost."""
    e = facts["message_events"]
    theirs = sa.true() if facts.span is None else e.c.activation_id.in_(sa.select(link.c.activation_id))
    rows = (
        sa.select(e.c.activation_id, e.c.event_type, micros(e.c.event_at).label("us"))
        .where(e.c.event_type.in_(("sent", *UNDELIVERED, *ARRIVED)), theirs)
        .subquery("reports")
    )
    sent_us = sa.func.min(sa.case((rows.c.event_type == "sent", rows.c.us)))
    bad, good = (
        sa.func.max(sa.case((rows.c.event_type.in_(kinds), 1), else_=0)) for kinds in (UNDELIVERED, ARRIVED)
    )
    return (
        sa.select(
            rows.c.activation_id,
            whole(sent_us).label("sent_us"),
            sa.case((bad > good, 1), else_=0).label("lost"),
        )
        .where(rows.c.us <= end_of(facts))  # the end is inclusive
        .group_by(rows.c.activation_id)
        .subquery("fates")
    )


def contacts_of(facts: Facts) -> sa.Subquery:
    """Each signal's first send or, where none was sent, its first planned activation; and `arriving_us`, the first send
    that did not fail. Times that never came are never().
    """
    a, link = facts["activations"], _links(facts)
    fates = _fates(facts, link)
    sent = sa.func.coalesce(fates.c.sent_us, never())
    rows = (
        sa.select(
            link.c.signal_id, a.c.activation_id, a.c.channel, a.c.campaign_id, a.c.provider, sent.label("sent_us"),
            sa.case((fates.c.lost == 1, never()), else_=sent).label("arriving_us"),
            sa.case((sent < never(), 0), else_=sa.func.coalesce(micros(a.c.created_at), never())).label("made_us"),
        )
        .select_from(
            link.join(a, a.c.activation_id == link.c.activation_id)
            .outerjoin(fates, fates.c.activation_id == a.c.activation_id)
        )
        .where(a.c.purpose == "marketing", real_activations(facts))
        .subquery("contacts")
    )  # fmt: skip
    order = [rows.c.sent_us, rows.c.made_us, rows.c.activation_id]
    place = sa.func.row_number().over(partition_by=rows.c.signal_id, order_by=order)
    arriving = sa.func.min(rows.c.arriving_us).over(partition_by=rows.c.signal_id)
    names = [c for c in rows.c if c.key not in ("arriving_us", "made_us")]
    placed = sa.select(*names, place.label("place"), arriving.label("arriving_us")).subquery(
        "placed_contacts"
    )
    return sa.select(placed).where(placed.c.place == 1).subquery("contacted")
