"""Which days new rows move, for rollups whose cells lie on the days of attempts.

Each SELECT sees only the new rows of one table and all rows of the others. Merges are not listed: a new link
joins persons through older ones, which cannot be seen beside it, so every day is made anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import DAY_US, Facts, day_number, micros
from metrics._suppression_base import CONFIRMATION_US, People, number
from metrics.core.metric import Touch


def _distinct_days(*times: sa.Select[tuple[int]]) -> sa.Select[tuple[int]]:
    rows = sa.union_all(*times).subquery("moved")
    days = sa.select(day_number(rows.c.us).label("day")).subquery("days")
    return sa.select(days.c.day).distinct()


def _times(facts: Facts, ids: sa.Select[tuple[str]]) -> sa.Select[tuple[int]]:
    e = facts["message_events"]
    return sa.select(micros(e.c.event_at).label("us")).where(e.c.activation_id.in_(ids))


def _of_activations(facts: Facts) -> sa.Select[tuple[int]]:
    return _distinct_days(_times(facts, sa.select(facts["activations"].c.activation_id)))


def _of_links(facts: Facts) -> sa.Select[tuple[int]]:
    return _distinct_days(_times(facts, sa.select(facts["activation_signals"].c.activation_id)))


def _of_signals(facts: Facts) -> sa.Select[tuple[int]]:
    link, s = facts["activation_signals"], facts["signals"]
    ids = sa.select(link.c.activation_id).where(link.c.signal_id.in_(sa.select(s.c.signal_id)))
    return _distinct_days(_times(facts, ids))


def _of_events(facts: Facts) -> sa.Select[tuple[int]]:
    """Days of the new events, which `message_events` itself shows, and of confirmations soon after them.

    Older events of the same activations: an earlier send moves the attempt to its own day.
    """
    e = facts["message_events"]
    own = sa.select(micros(e.c.event_at).label("us"))
    rows = own.subquery("told")
    return _distinct_days(own, sa.select((rows.c.us + number(CONFIRMATION_US)).label("us")))


def persons_after(
    facts: Facts, changed: FromClause, source: FromClause, root: ColumnElement[str]
) -> sa.Select[tuple[int]]:
    """Times of events of the persons of `changed` (root, us) that lie after its time."""
    a, e = facts["activations"], facts["message_events"]
    people = sa.select(a.c.activation_id, root.label("root")).select_from(source).subquery("owned")
    told = sa.select(e.c.activation_id, micros(e.c.event_at).label("us")).subquery("all_told")
    joined = told.join(people, people.c.activation_id == told.c.activation_id).join(
        changed, sa.and_(changed.c.root == people.c.root, told.c.us > changed.c.us)
    )
    return sa.select(told.c.us).select_from(joined)


def _of_stops(facts: Facts) -> sa.Select[tuple[int]]:
    s, people = facts["suppression_events"], People.of(facts)
    source, root = people.rooted(s)
    changed = (
        sa.select(root.label("root"), micros(s.c.effective_at).label("us"))
        .select_from(source)
        .subquery("changed")
    )
    joined, owner = people.rooted(facts["activations"])
    return _distinct_days(persons_after(facts, changed, joined, owner))


def _of_carried(facts: Facts) -> sa.Select[tuple[int]]:
    s, p, people = facts["suppression_events"], facts["suppression_propagations"], People.of(facts)
    source, root = people.rooted(s)
    changed = (
        sa.select(root.label("root"), micros(s.c.effective_at).label("us"))
        .select_from(source)
        .where(s.c.suppression_event_id.in_(sa.select(p.c.suppression_event_id)))
        .subquery("changed")
    )
    joined, owner = people.rooted(facts["activations"])
    return _distinct_days(persons_after(facts, changed, joined, owner))


ATTEMPT_TOUCH: tuple[tuple[str, Touch | None], ...] = (
    ("message_events", _of_events),
    ("activations", _of_activations),
    ("activation_signals", _of_links),
    ("signals", _of_signals),
    ("suppression_events", _of_stops),
    ("suppression_propagations", _of_carried),
)


def _of_consents(facts: Facts) -> sa.Select[tuple[int]]:
    c, people = facts["consents"], People.of(facts)
    source, root = people.rooted(c)
    before = (micros(c.c.captured_at) - 1).label("us")  # a consent counts from its own instant on
    changed = sa.select(root.label("root"), before).select_from(source).subquery("changed")
    joined, owner = people.rooted(facts["activations"])
    return _distinct_days(persons_after(facts, changed, joined, owner))


CONSENT_TOUCH: tuple[tuple[str, Touch | None], ...] = (
    *(t for t in ATTEMPT_TOUCH if not t[0].startswith("suppression")),
    ("consents", _of_consents),
)


def _stops_near(facts: Facts, people: People, changed: FromClause) -> sa.Select[tuple[int]]:
    """Days of the stops of the persons of `changed` (root, us), from 31 days before its time to an hour after it."""
    s = facts["suppression_events"]
    source, root = people.rooted(s)
    stops = (
        sa.select(root.label("root"), micros(s.c.effective_at).label("us"))
        .select_from(source)
        .subquery("near")
    )
    near = sa.and_(
        stops.c.root == changed.c.root, stops.c.us >= changed.c.us - number(31 * DAY_US),
        stops.c.us <= changed.c.us + number(DAY_US // 24),
    )  # fmt: skip
    return _distinct_days(sa.select(stops.c.us).select_from(stops.join(changed, near)))


def _stops_of_told(facts: Facts) -> sa.Select[tuple[int]]:
    """Stops that the new sends (or the newly known activations) can have violated."""
    a, e, people = facts["activations"], facts["message_events"], People.of(facts)
    source, root = people.rooted(a)
    told = source.join(e, e.c.activation_id == a.c.activation_id)
    changed = (
        sa.select(root.label("root"), micros(e.c.event_at).label("us")).select_from(told).subquery("changed")
    )
    return _stops_near(facts, people, changed)


def _stops_of_stops(facts: Facts) -> sa.Select[tuple[int]]:
    """Stops of the same persons that a new release lifts, or whose confirmation a new stop explains.

    Only new rows are seen here, so the persons' other stops are found through what was sent to them near by.
    """
    s, people = facts["suppression_events"], People.of(facts)
    source, root = people.rooted(s)
    changed = (
        sa.select(root.label("root"), micros(s.c.effective_at).label("us"))
        .select_from(source)
        .subquery("changed")
    )
    days = sa.select(day_number(changed.c.us).label("day")).distinct().subquery("days")
    back = sa.union_all(*(sa.select(number(i).label("d")) for i in range(32))).subquery("back")
    return sa.select((days.c.day - back.c.d).label("day")).select_from(days.join(back, sa.true())).distinct()


STOP_TOUCH: tuple[tuple[str, Touch | None], ...] = (
    ("suppression_events", _stops_of_stops),
    ("message_events", _stops_of_told),
    ("activations", _stops_of_told),
    ("data_watermarks", None),
)
