"""Persons, their stops and what lifts or exempts: the side of suppression conformance that stands against attempts.

A stop is a suppression event. It carries, as an attempt does (`_suppression_attempts`),
the person of today's closure (`root`) and what the row itself stood for (`node`, so that one can ask what was
known at the moment of sending). Constants come from the dated policy data, not from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.policies import document
from data.sql import Facts, micros, whole
from metrics.core.contact import never
from metrics.core.persons import roots

_COMMON: dict[str, Any] = document("profiles")["common"]
IN_FLIGHT_US = int(_COMMON["in_flight_seconds"]) * 1_000_000
CONFIRMATION_US = int(_COMMON["confirmation_seconds"]) * 1_000_000
EXEMPT: tuple[str, ...] = tuple(_COMMON["exempt_purposes"])
ABSOLUTE: tuple[str, ...] = tuple(_COMMON["absolute_triggers"])
REFUSED_CODES: tuple[str, ...] = tuple(_COMMON["near_miss_codes"])
CONVERSION_PROGRAMMES: tuple[str, ...] = tuple(_COMMON["conversion_programmes"])
SENT, REFUSED = 0, 1


def text(value: str) -> ColumnElement[str]:
    return sa.literal_column("'" + value.replace("'", "''") + "'", sa.Text())


def number(value: int) -> ColumnElement[int]:
    return sa.literal_column(str(value), sa.BigInteger())


def listed(scope: ColumnElement[Any], name: ColumnElement[Any]) -> ColumnElement[bool]:
    """Is a name in a scope: none or '*' is everything, else a list with |."""
    hay = text("|").concat(scope).concat(text("|"))
    needle = text("|").concat(name).concat(text("|"))
    return sa.or_(scope.is_(None), scope == text("*"), sa.func.replace(hay, needle, text("")) != hay)


def picked(rows: FromClause, facts: Facts) -> ColumnElement[bool]:
    """The scope's pinned dimensions, for those that are columns of `rows`; tiers are decided later."""
    pinned = [(n, value) for n, value in facts.where if n in rows.c and n != "tier"]
    return sa.and_(sa.true(), *(rows.c[n] == value for n, value in pinned))


@dataclass(frozen=True)
class People:
    """Who is one person in one statement, what they asked for, and when any two records were known to be linked.

    roots: person, root. linked: person, other, since_us, until_us. merged: records that merges speak of.
    stops: see `_stop_events`; free: see `_releases`.
    """

    linked: FromClause
    roots: FromClause
    merged: FromClause
    stops: FromClause
    free: FromClause

    @classmethod
    def of(cls, facts: Facts) -> People:
        known = sa.select(roots(facts)).cte("roots_of_today")
        m = facts["person_merges"]
        merged = (
            sa.select(m.c.from_person_id.label("record")).union(sa.select(m.c.to_person_id)).cte("merged")
        )
        return cls(_linked(facts), known, merged, _stop_events(facts, known, merged), _releases(facts, known))

    def rooted(self, table: FromClause) -> tuple[FromClause, ColumnElement[str]]:
        """`table` joined with the roots, and the expression of its person's root."""
        return _rooted(table, self.roots)

    def noded(self, source: FromClause, table: FromClause) -> tuple[FromClause, ColumnElement[str]]:
        """`source` joined so that a row can stand for its record, where merges speak of that record."""
        return _noded(source, table, self.merged)


def _linked(facts: Facts) -> sa.CTE:
    """Ordered pairs of records and the times for which merges then in force joined them, by any chain.

    A merge taken back later did hold until then, so it counts for what was known at the moment of sending.
    """
    m = facts["person_merges"]
    rows = sa.select(
        m.c.from_person_id.label("x"), m.c.to_person_id.label("y"), micros(m.c.merged_at).label("since_us"),
        sa.func.coalesce(micros(m.c.reverted_at), never()).label("until_us"),
    ).subquery("joins")  # fmt: skip
    times = (rows.c.since_us, rows.c.until_us)
    stood = sa.and_(rows.c.since_us < rows.c.until_us, rows.c.x != rows.c.y)
    there = sa.select(rows.c.x.label("a"), rows.c.y.label("b"), *times).where(stood)
    links = there.union(sa.select(rows.c.y, rows.c.x, *times).where(stood)).cte("links")
    chain = sa.select(links.c.a.label("person"), links.c.b.label("other"), links.c.since_us, links.c.until_us)
    chains = chain.cte("chains", recursive=True)
    later = sa.case((links.c.since_us > chains.c.since_us, links.c.since_us), else_=chains.c.since_us)
    sooner = sa.case((links.c.until_us < chains.c.until_us, links.c.until_us), else_=chains.c.until_us)
    longer = (
        sa.select(chains.c.person, links.c.b, later, sooner)
        .select_from(chains.join(links, links.c.a == chains.c.other))
        .where(links.c.b != chains.c.person, later < sooner)
    )
    chains = chains.union(longer)
    first = whole(sa.func.min(chains.c.since_us)).label("since_us")
    keys = (chains.c.person, chains.c.other, chains.c.until_us)
    return sa.select(*keys, first).group_by(*keys).cte("linked")


def _rooted(table: FromClause, roots: FromClause) -> tuple[FromClause, ColumnElement[str]]:
    known = roots.alias()
    joined = table.outerjoin(known, table.c.person_id == known.c.person)
    return joined, sa.func.coalesce(known.c.root, table.c.person_id)


def _noded(
    source: FromClause, table: FromClause, merged: FromClause
) -> tuple[FromClause, ColumnElement[str]]:
    held = merged.alias()
    joined = source.outerjoin(held, table.c.record_id == held.c.record)
    return joined, sa.func.coalesce(held.c.record, table.c.person_id)


def _stop_events(facts: Facts, roots: FromClause, merged: FromClause) -> sa.CTE:
    """Every suppression, ranked by when it took effect: rank, event_id, root, node, record, from_us, known_us, ..."""
    s = facts["suppression_events"]
    joined, root = _rooted(s, roots)
    joined, node = _noded(joined, s, merged)
    from_us = micros(s.c.effective_at)
    heard = sa.func.coalesce(micros(s.c.received_at), from_us)
    rows = (
        sa.select(
            s.c.suppression_event_id.label("event_id"), root.label("root"), node.label("node"),
            sa.func.coalesce(s.c.record_id, s.c.person_id).label("record"),
            from_us.label("from_us"), heard.label("heard_us"),
            sa.func.coalesce(micros(s.c.expires_at), never()).label("expires_us"),
            s.c.trigger_type, s.c.origin_channel, s.c.scope_channels, s.c.scope_purpose, s.c.scope_program, s.c.jurisdiction,
        )
        .select_from(joined)
        .where(s.c.action == "suppress")
        .subquery("stopped")
    )  # fmt: skip
    known = sa.case((rows.c.heard_us > rows.c.from_us, rows.c.heard_us), else_=rows.c.from_us)
    rank = sa.func.row_number().over(order_by=[rows.c.from_us, rows.c.event_id])
    return sa.select(rows, known.label("known_us"), whole(rank).label("rank")).cte("stop_events")


def _releases(facts: Facts, roots: FromClause) -> sa.CTE:
    """Releases that the person asked for: root, us, channels, programmes. A re-subscription by sync is none."""
    s = facts["suppression_events"]
    joined, root = _rooted(s, roots)
    return (
        sa.select(
            root.label("root"), micros(s.c.effective_at).label("us"),
            s.c.scope_channels.label("channels"), s.c.scope_program.label("programmes"),
        )
        .select_from(joined)
        .where(s.c.action == "release", s.c.trigger_type == "re_opt_in")
        .cte("releases")
    )  # fmt: skip


def lifts(tried: FromClause, free: FromClause) -> sa.Subquery:
    """The latest release at or before an attempt that covers its channel and campaign: activation_id, seq, lifted_us."""
    covers = sa.and_(
        free.c.root == tried.c.root, free.c.us <= tried.c.us,
        listed(free.c.channels, tried.c.channel),
        sa.func.coalesce(listed(free.c.programmes, tried.c.campaign_id), sa.false()),
    )  # fmt: skip
    return (
        sa.select(tried.c.activation_id, tried.c.seq, sa.func.max(free.c.us).label("lifted_us"))
        .select_from(tried.join(free, covers))
        .group_by(tried.c.activation_id, tried.c.seq)
        .subquery("lifts")
    )


def confirmations(tried: FromClause, sends: FromClause, stops: FromClause) -> sa.Subquery:
    """The one exempt confirmation of an opt-out, at most 300 s after it: activation_id, seq.

    `sends` are confirmations sent, of the same statement: a second one after the same stop is not exempt.
    """
    mine = sa.select(tried).where(tried.c.purpose == "opt_out_confirmation").subquery("confirming")
    before = sa.or_(
        sends.c.us < mine.c.us, sa.and_(sends.c.us == mine.c.us, sends.c.activation_id < mine.c.activation_id)
    )
    keys = (mine.c.activation_id, mine.c.seq, mine.c.root, mine.c.us)
    last = (
        sa.select(*keys, sa.func.coalesce(sa.func.max(sends.c.us), number(-1 << 62)).label("last_us"))
        .select_from(mine.outerjoin(sends, sa.and_(sends.c.root == mine.c.root, before)))
        .group_by(*keys)
        .subquery("confirmed_before")
    )
    near = sa.and_(
        stops.c.root == last.c.root, stops.c.from_us < last.c.us, last.c.us - stops.c.from_us <= CONFIRMATION_US,
        stops.c.from_us >= last.c.last_us,
    )  # fmt: skip
    return (
        sa.select(last.c.activation_id, last.c.seq)
        .select_from(last.join(stops, near))
        .distinct()
        .subquery("confirmed")
    )
