"""Who is one person: the closure of merges, as portable SQL that two families share.

Merges are undirected: two records are one person when any chain of merges joins them. Since when they are one is
the smallest, over all chains, of the chain's latest merge (the moment the last missing link appeared).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import Facts, micros, whole


def _edges(facts: Facts) -> sa.CTE:
    """Merges that stand, in both directions: a, b, since_us."""
    m = facts["person_merges"]
    rows = (
        sa.select(
            m.c.from_person_id.label("x"), m.c.to_person_id.label("y"), micros(m.c.merged_at).label("us")
        )
        .where(m.c.reverted_at.is_(None), m.c.from_person_id != m.c.to_person_id)
        .subquery("merges")
    )
    there = sa.select(rows.c.x.label("a"), rows.c.y.label("b"), rows.c.us.label("since_us"))
    back = sa.select(rows.c.y.label("a"), rows.c.x.label("b"), rows.c.us.label("since_us"))
    return there.union(back).cte("edges")


def connections(facts: Facts, name: str = "connections") -> sa.Subquery:
    """Ordered pairs of different records that are one person, and since when: person, other, since_us."""
    edges = _edges(facts)
    reach = sa.select(edges.c.a.label("person"), edges.c.b.label("other"), edges.c.since_us).cte(
        f"{name}_reach", recursive=True
    )
    later = sa.case((edges.c.since_us > reach.c.since_us, edges.c.since_us), else_=reach.c.since_us)
    step = (
        sa.select(reach.c.person, edges.c.b, later.label("since_us"))
        .select_from(reach.join(edges, edges.c.a == reach.c.other))
        .where(edges.c.b != reach.c.person)
    )
    reach = reach.union(step)
    return (
        sa.select(reach.c.person, reach.c.other, whole(sa.func.min(reach.c.since_us)).label("since_us"))
        .group_by(reach.c.person, reach.c.other)
        .subquery(name)
    )


def roots(facts: Facts, name: str = "roots") -> sa.Subquery:
    """One name for each merged person: person, root (the smallest id of its records)."""
    pairs = connections(facts, f"{name}_pairs")
    least = sa.func.min(pairs.c.other)
    smallest = (
        sa.select(pairs.c.person, least.label("least")).group_by(pairs.c.person).subquery(f"{name}_least")
    )
    root = sa.case((smallest.c.least < smallest.c.person, smallest.c.least), else_=smallest.c.person)
    return sa.select(smallest.c.person, root.label("root")).subquery(name)


def rooted(table: FromClause, known: FromClause) -> tuple[FromClause, ColumnElement[str]]:
    """`table` joined with `roots`, and the expression of its person's root (itself where never merged)."""
    joined = table.outerjoin(known, table.c.person_id == known.c.person)
    return joined, sa.func.coalesce(known.c.root, table.c.person_id)
