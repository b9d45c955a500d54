"""What happened to initiatives, from `delivery_events`: deployments, incidents, retraining. Rows to mark, not to measure."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass

import sqlalchemy as sa

from app.measure.judged import Frame
from data.sql import known_at, micros

TABLE = "delivery_events"
# What a reader of a trend wants to know of; ideas and pilots have pages of their own.
MARKED = ("production", "deployment", "deployment_failed", "incident", "restored", "retrained")
MOST = 400  # newest events kept; a chart draws far fewer
_KEPT: OrderedDict[tuple[object, ...], tuple[Event, ...]] = OrderedDict()
_GUARD = threading.Lock()


@dataclass(frozen=True)
class Event:
    """One milestone or incident of an initiative."""

    initiative: str
    event: str
    at: dt.datetime
    about: str


def events(frame: Frame) -> tuple[Event, ...]:
    """The newest events up to the page's last day, newest first; kept while the table is the same."""
    warehouse, last = frame.readings.warehouse, frame.days.last
    if last is None:
        return ()
    name = (id(warehouse), warehouse.mark((TABLE,)), last, frame.view.as_of)
    with _GUARD:
        if name in _KEPT:
            return _KEPT[name]
    found = _read(frame, last)
    with _GUARD:
        _KEPT[name] = found
        while len(_KEPT) > 8:
            _KEPT.popitem(last=False)
    return found


def _read(frame: Frame, last: dt.date) -> tuple[Event, ...]:
    warehouse = frame.readings.warehouse
    as_of = None if frame.view.as_of is None else dt.datetime.combine(frame.view.as_of, dt.time.max, dt.UTC)
    rows = known_at(warehouse.tables()[TABLE], as_of)
    c = rows.c
    end = dt.datetime.combine(last, dt.time.max, dt.UTC)
    shown = (
        sa.select(c.initiative_id, c.event, micros(c.event_at).label("us"), c.ref)
        .where(c.event.in_(MARKED))
        .subquery()
    )
    asked = (
        sa.select(shown.c.initiative_id, shown.c.event, shown.c.us, shown.c.ref)
        .where(shown.c.us <= round(end.timestamp() * 1e6))
        .order_by(shown.c.us.desc(), shown.c.initiative_id, shown.c.event)
        .limit(MOST)
    )
    with warehouse.session((TABLE,)) as session:
        found = session.columns(asked)
    return tuple(
        Event(
            str(who),
            str(what),
            dt.datetime.fromtimestamp(float(us) / 1e6, dt.UTC),
            str(about) if about else "",
        )
        for who, what, us, about in zip(
            found["initiative_id"], found["event"], found["us"], found["ref"], strict=True
        )
    )
