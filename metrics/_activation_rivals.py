"""What competes with the activation of a signal: a stop of its person, or a conversion before anything was sent."""

from __future__ import annotations

import sqlalchemy as sa

from data.sql import Facts, micros
from metrics.core.contact import end_of, stops
from metrics.core.persons import rooted


def rivals_of(facts: Facts, scored: sa.Subquery, known: sa.Subquery) -> sa.Subquery:
    """What competes with a signal's activation, by signal: stop_us and won_us, each NULL where there is none.

    A suppression stands against a signal if it is in force at its scoring or effective from then on; a conversion if
    it happens at or after scoring (to churn is not to convert). Both are found in one join, as intervals of a person.
    """
    s, o = stops(facts, known), facts["outcomes"]
    joined, root = rooted(o, known)
    won = (
        sa.select(root.label("root"), micros(o.c.occurred_at).label("us"))
        .select_from(joined)
        .where(o.c.outcome_type != "churn")
        .subquery("happened")
    )
    one, none = sa.literal_column("1", sa.Integer()), sa.literal_column("0", sa.BigInteger())
    both = (
        sa.select(s.c.root, s.c.from_us, s.c.until_us, one.label("is_stop"))
        .union_all(
            sa.select(won.c.root, won.c.us, none, sa.literal_column("0", sa.Integer())).where(
                won.c.us <= end_of(facts)
            )
        )
        .subquery("rivals")
    )
    against = sa.and_(
        both.c.root == scored.c.root, sa.or_(both.c.from_us >= scored.c.us, both.c.until_us > scored.c.us)
    )
    return (
        sa.select(
            scored.c.signal_id,
            sa.func.min(sa.case((both.c.is_stop == 1, both.c.from_us))).label("stop_us"),
            sa.func.min(sa.case((both.c.is_stop == 0, both.c.from_us))).label("won_us"),
        )
        .select_from(scored.join(both, against))
        .group_by(scored.c.signal_id)
        .subquery("rivalled")
    )
