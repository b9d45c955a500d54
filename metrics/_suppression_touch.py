"""Which days new rows move, for rollups whose cells lie on the days of attempts or of stops.

Each SELECT sees only the new rows of one table under its own name (all of them as WHOLE), and all rows of the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import FromClause

from data.sql import DAY_US, WHOLE, Facts, day_number, micros
from metrics._suppression_attempts import tells
from metrics._suppression_base import CONFIRMATION_US, number
from metrics.core.contact import real_activations
from metrics.core.metric import Touch
from metrics.core.persons import connections, rooted, roots

STOP_DAYS = 31  # a stop is judged by the 30 days after it


def _distinct_days(*times: sa.Select[Any]) -> sa.Select[Any]:
    rows = sa.union_all(*times).subquery("moved")
    days = sa.select(day_number(rows.c.us).label("day")).subquery("days")
    return sa.select(days.c.day).distinct()


def _full(facts: Facts, name: str) -> Facts:
    """The facts with all rows of the changed table under its own name."""
    return replace(facts, tables={**facts.tables, name: facts[WHOLE]})


def _told_us(e: FromClause) -> sa.ColumnElement[int]:
    """When an event told of a send or a refusal; NULL where it tells of neither.

    As a test it would lead DuckDB to take the messages for few, and to build its joins on them (2 to 5 s at 40 million).
    """
    return sa.case((tells(e), micros(e.c.event_at))).label("us")


def _times(facts: Facts, ids: sa.Select[Any]) -> sa.Select[Any]:
    e = facts["message_events"]
    return sa.select(_told_us(e)).where(e.c.activation_id.in_(ids))


def _of_activations(facts: Facts) -> sa.Select[Any]:
    return _distinct_days(_times(facts, sa.select(facts["activations"].c.activation_id)))


def _of_links(facts: Facts) -> sa.Select[Any]:
    return _distinct_days(_times(facts, sa.select(facts["activation_signals"].c.activation_id)))


def _of_signals(facts: Facts) -> sa.Select[Any]:
    link, s, e = facts["activation_signals"], facts["signals"], facts["message_events"]
    told = e.join(link, link.c.activation_id == e.c.activation_id).join(s, s.c.signal_id == link.c.signal_id)
    return _distinct_days(sa.select(_told_us(e)).select_from(told))


def _of_events(facts: Facts) -> sa.Select[Any]:
    """Days of all attempts of the activations now sent or refused, and of confirmations soon after these.

    An earlier send moves the attempt to its own day, and a send takes a refusal away.
    """
    new = facts["message_events"]
    rows = sa.select(micros(new.c.event_at).label("us")).where(tells(new)).subquery("told")
    own = _times(_full(facts, "message_events"), sa.select(new.c.activation_id).where(tells(new)))
    return _distinct_days(own, sa.select((rows.c.us + number(CONFIRMATION_US)).label("us")))


def _sent_after(facts: Facts, changed: FromClause) -> sa.Select[Any]:
    """Days of events of the persons of `changed` (person_id, us) at or after its time."""
    a, e, known = facts["activations"], facts["message_events"], roots(facts)
    moved, root = rooted(changed, known.alias("known_too"))
    since = sa.select(root.label("root"), changed.c.us).select_from(moved).subquery("since")
    joined, owner = rooted(a, known)
    # These persons are few, so their activations are looked for first, and then what became of these.
    own = (
        sa.select(a.c.activation_id, since.c.us.label("since_us"))
        .select_from(joined.join(since, since.c.root == owner))
        .where(real_activations(facts))
        .subquery("owned")
    )
    told = sa.select(e.c.activation_id, _told_us(e)).subquery("all_told")
    after = sa.and_(own.c.activation_id == told.c.activation_id, told.c.us >= own.c.since_us)
    return _distinct_days(sa.select(told.c.us).select_from(told.join(own, after)))


def _changed(table: FromClause, column: str) -> sa.Select[Any]:
    return sa.select(table.c.person_id, micros(table.c[column]).label("us"))


def _of_stops(facts: Facts) -> sa.Select[Any]:
    return _sent_after(facts, _changed(facts["suppression_events"], "effective_at").subquery("changed"))


def _of_carried(facts: Facts) -> sa.Select[Any]:
    s, p = facts["suppression_events"], facts["suppression_propagations"]
    spoken = sa.select(p.c.suppression_event_id)
    changed = _changed(s, "effective_at").where(s.c.suppression_event_id.in_(spoken))
    return _sent_after(facts, changed.subquery("changed"))


def _of_consents(facts: Facts) -> sa.Select[Any]:
    return _sent_after(facts, _changed(facts["consents"], "captured_at").subquery("changed"))


def _merged(facts: Facts) -> sa.Select[Any]:
    """Every record of the persons whom new merges (or merges taken back) speak of, on either side."""
    m = facts["person_merges"]
    ends = sa.select(m.c.from_person_id.label("person")).union(sa.select(m.c.to_person_id)).subquery("ends")
    pairs = connections(_full(facts, "person_merges"))
    others = sa.select(pairs.c.other).where(pairs.c.person.in_(sa.select(ends.c.person)))
    return sa.select(sa.select(ends.c.person).union(others).subquery("persons").c.person)


def _of_merges(facts: Facts) -> sa.Select[Any]:
    a = facts["activations"]
    return _distinct_days(
        _times(facts, sa.select(a.c.activation_id).where(a.c.person_id.in_(_merged(facts))))
    )


ATTEMPT_TOUCH: tuple[tuple[str, Touch | None], ...] = (
    ("message_events", _of_events),
    ("activations", _of_activations),
    ("activation_signals", _of_links),
    ("signals", _of_signals),
    ("suppression_events", _of_stops),
    ("suppression_propagations", _of_carried),
    ("person_merges", _of_merges),
)
CONSENT_TOUCH: tuple[tuple[str, Touch | None], ...] = (
    *(t for t in ATTEMPT_TOUCH if not t[0].startswith("suppression")),
    ("consents", _of_consents),
)


def _stops_near(facts: Facts, changed: FromClause) -> sa.Select[Any]:
    """Days of the stops of the persons of `changed` (person_id, us), from 31 days before its time to an hour after."""
    s, known = facts["suppression_events"], roots(facts)
    joined, owner = rooted(s, known)
    stops = (
        sa.select(owner.label("root"), micros(s.c.effective_at).label("us"))
        .select_from(joined)
        .subquery("near")
    )
    moved, root = rooted(changed, known.alias("known_too"))
    times = sa.select(root.label("root"), changed.c.us).select_from(moved).subquery("times")
    near = sa.and_(
        stops.c.root == times.c.root, stops.c.us >= times.c.us - number(STOP_DAYS * DAY_US),
        stops.c.us <= times.c.us + number(DAY_US // 24),
    )  # fmt: skip
    return _distinct_days(sa.select(stops.c.us).select_from(stops.join(times, near)))


def _stops_of_told(facts: Facts) -> sa.Select[Any]:
    """Stops that the sends of new activations can have violated."""
    a, e = facts["activations"], facts["message_events"]
    both = a.join(e, e.c.activation_id == a.c.activation_id)
    told = (
        sa.select(a.c.person_id, micros(e.c.event_at).label("us"))
        .select_from(both)
        .where(e.c.event_type == "sent")
    )
    return _stops_near(facts, told.subquery("changed"))


def _stops_of_events(facts: Facts) -> sa.Select[Any]:
    """The same for new sends: an earlier send of an activation takes a later one away, so all of its sends count."""
    new, every, a = facts["message_events"], facts[WHOLE], facts["activations"]
    told = (
        sa.select(a.c.person_id, micros(every.c.event_at).label("us"))
        .select_from(a.join(every, every.c.activation_id == a.c.activation_id))
        .where(a.c.activation_id.in_(sa.select(new.c.activation_id).where(new.c.event_type == "sent")))
        .where(every.c.event_type == "sent")
    )
    return _stops_near(facts, told.subquery("changed"))


def _stops_of_stops(facts: Facts) -> sa.Select[Any]:
    """Stops of the same persons that a new release lifts, or whose confirmation a new stop explains."""
    changed = _changed(facts["suppression_events"], "effective_at").subquery("changed")
    return _stops_near(_full(facts, "suppression_events"), changed)


def _stops_of_merges(facts: Facts) -> sa.Select[Any]:
    s = facts["suppression_events"]
    return _distinct_days(
        sa.select(micros(s.c.effective_at).label("us")).where(s.c.person_id.in_(_merged(facts)))
    )


STOP_TOUCH: tuple[tuple[str, Touch | None], ...] = (
    ("suppression_events", _stops_of_stops),
    ("message_events", _stops_of_events),
    ("activations", _stops_of_told),
    ("person_merges", _stops_of_merges),
    ("data_watermarks", None),
)
