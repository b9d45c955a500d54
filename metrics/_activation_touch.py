"""Which signals a changed row of another table moves, and on which days they lie.

Given only the changed rows, each SELECT finds the signals they speak of, by link or by person. The embedded lake
computes these signals anew and no others; other engines compute their days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa

from data.sql import WHOLE, Facts, day_number, double, micros, real, whole
from metrics.core.metric import Keyed, Touch
from metrics.core.persons import connections


def days_of(select: Callable[[Facts], sa.Select[tuple[str]]], column: str) -> Touch:
    """Days of the signals whose `column` (or person's root) is among the changed ones."""

    def touch(facts: Facts) -> sa.Select[tuple[int]]:
        s = facts["signals"]
        changed = select(facts).subquery("changed")
        rows = (
            sa.select(micros(s.c.scored_at).label("us"))
            .where(s.c[column].in_(sa.select(changed.c[0])))
            .subquery()
        )
        days = sa.select(day_number(rows.c.us).label("day")).subquery()
        return sa.select(days.c.day).distinct()

    return touch


def signals_of_links(table: str) -> Callable[[Facts], sa.Select[tuple[str]]]:
    """Signals that changed rows of a table with `signal_id` speak of."""
    return lambda facts: sa.select(facts[table].c.signal_id)


def signals_of(table: str) -> Callable[[Facts], sa.Select[tuple[str]]]:
    def select(facts: Facts) -> sa.Select[tuple[str]]:
        link, changed = facts["activation_signals"], facts[table]
        return sa.select(link.c.signal_id).where(link.c.activation_id.in_(sa.select(changed.c.activation_id)))

    return select


def persons_of(table: str, column: str = "person_id") -> Callable[[Facts], sa.Select[tuple[str]]]:
    """The persons of changed rows, and every record merged with them."""

    def select(facts: Facts) -> sa.Select[tuple[str]]:
        changed = sa.select(facts[table].c[column].label("person"))
        # a new merge joins whole persons, so what is connected is told by all merges, not by the new ones
        known = (
            replace(facts, tables={**facts.tables, table: facts[WHOLE]})
            if table == "person_merges"
            else facts
        )
        pairs = connections(known)
        others = sa.select(pairs.c.other).where(pairs.c.person.in_(changed))
        return sa.select(changed.union(others).subquery("persons").c.person)

    return select


def persons_merged(facts: Facts) -> sa.Select[tuple[str]]:
    """Both sides of changed merges, and every record merged with either in any state of the merges."""
    changed, every = facts["person_merges"], facts[WHOLE]
    sides = [sa.select(changed.c[c].label("person")) for c in ("from_person_id", "to_person_id")]
    pairs = connections(replace(facts, tables={**facts.tables, "person_merges": every}))
    ends = sa.union(*sides).subquery("ends")
    others = sa.select(pairs.c.other).where(pairs.c.person.in_(sa.select(ends.c.person)))
    return sa.select(sa.union(*sides, others).subquery("persons").c.person)


def _of_kept_signals(facts: Facts) -> sa.ColumnElement[bool]:
    link, s = facts["activation_signals"], facts["signals"]
    return link.c.signal_id.in_(sa.select(s.c.signal_id))


def _of_kept_links(table: str) -> Callable[[Facts], sa.ColumnElement[bool]]:
    return lambda facts: facts[table].c.activation_id.in_(
        sa.select(facts["activation_signals"].c.activation_id)
    )


def window_ms(s: sa.FromClause) -> sa.ColumnElement[int]:
    """The window W of signals, milliseconds."""
    return whole(sa.func.round(double(s.c.window_seconds) * real(1000)))


def _open_at_end(facts: Facts) -> sa.ColumnElement[bool]:
    """Signals whose window had not ended at the observation end, or that lay after it."""
    s, end = facts["signals"], sa.literal_column(str(facts.observed_us), sa.BigInteger())
    age = end - micros(s.c.scored_at)
    return sa.or_(age < window_ms(s) * 1000, age < 0)


BY_SIGNAL = Keyed(
    key="signal_id",
    moved=(
        ("activation_signals", "signal_id", signals_of_links("activation_signals")),
        ("activations", "signal_id", signals_of("activations")),
        ("message_events", "signal_id", signals_of("message_events")),
        ("suppression_events", "person_id", persons_of("suppression_events")),
        ("outcomes", "person_id", persons_of("outcomes")),
        ("person_merges", "person_id", persons_merged),
    ),
    cuts=(
        ("activation_signals", _of_kept_signals),
        ("activations", _of_kept_links("activations")),
        ("message_events", _of_kept_links("message_events")),
    ),
    aging=_open_at_end,
)
