"""Comments on a number and interventions for it, with the measured difference between before and after."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from app.govern.books import scope_of
from app.govern.model import Actor, Add, Ledger, Row, Values
from app.govern.views import Room
from app.govern.views_forms import Said, carry_out
from app.measure import words
from app.measure.judged import Frame, Judged
from data.ledger_types import Value
from metrics import ALL
from metrics.core.intervals import Interval
from metrics.core.metric import Direction, Metric, Reading, Scope, protected
from metrics.core.mover import difference

SPAN = dt.timedelta(days=28)  # stretch before and after an intervention that are compared
LEAST = 7  # days after an intervention before its effect is read


@dataclass(frozen=True)
class Effect:
    """An intervention and its number before and after it. `change` None: not known yet, and `why` says why.

    `good`: the change is clearly one for the better (True), clearly for the worse (False), or not clear (None).
    """

    record_id: str
    metric: str
    title: str
    subject: str
    what: str
    owner: str
    done_on: dt.date
    before: str
    after: str
    change: str
    good: bool | None
    why: str


def scope_words(reading: Reading) -> tuple[str, ...] | None:
    """Whose number a remark is about: the groups that may not be pooled. The group that fares worst may be another tomorrow."""
    found = tuple(
        f"{k}={v}" for k, v in reading.by if v is not None and not protected(k) and k != "attributes"
    )
    return found or None


def about(row: Row, reading: Reading) -> bool:
    """Whether a remark speaks of a reading."""
    return row.text("metric") == reading.key and set(scope_of(row["scope"])) <= set(reading.by)


def comments_on(room: Room, one: Judged) -> tuple[Row, ...]:
    """Comments on a number, newest first."""
    found = (r for r in room.live("comments") if about(r, one.reading))
    return tuple(sorted(found, key=lambda r: r.seq, reverse=True))


def interventions_on(room: Room, one: Judged) -> tuple[Row, ...]:
    """Interventions for a number, newest first."""
    found = (r for r in room.live("interventions") if about(r, one.reading))
    return tuple(sorted(found, key=lambda r: r.seq, reverse=True))


def day_of(row: Row, name: str) -> dt.date:
    """The day a remark stands at: its own, else that of its writing."""
    day = row[name]
    return day if isinstance(day, dt.date) else row.at.date()


def comment(ledger: Ledger, actor: Actor, one: Judged, said: str, on: dt.date | None, key: str) -> Said:
    """Write a comment on a number. `key` is made when the form is first drawn."""
    values: tuple[tuple[str, Value], ...] = (
        ("metric", one.metric.key), ("scope", scope_words(one.reading)), ("about", on), ("comment", said),
    )  # fmt: skip
    return carry_out(ledger, Add("comments", _given(values)), actor, key)


def intervene(
    ledger: Ledger, actor: Actor, one: Judged, what: str, on: dt.date, owner: str, key: str
) -> Said:
    """Write down what was done for a number, and when."""
    values: tuple[tuple[str, Value], ...] = (
        ("metric", one.metric.key), ("scope", scope_words(one.reading)), ("done_on", on), ("what", what), ("owner", owner),
    )  # fmt: skip
    return carry_out(ledger, Add("interventions", _given(values)), actor, key)


def _given(values: Values) -> Values:
    return tuple(pair for pair in values if pair[1] is not None)


def effects(frame: Frame, room: Room, rows: tuple[Row, ...]) -> tuple[Effect, ...]:
    """Every intervention with the number before and after it."""
    return tuple(_effect(frame, room, row) for row in rows)


def _effect(frame: Frame, room: Room, row: Row) -> Effect:
    day, key = day_of(row, "done_on"), row.text("metric")
    metric = ALL.get(key)
    where = scope_of(row["scope"])
    whose = ", ".join(frame.names.get(str(v), str(v)) for _, v in where)
    told = Effect(
        row.record_id, key, metric.title if metric else key, whose, row.text("what"),
        room.name(row.text("owner")), day, words.DASH, words.DASH, "", None, "",
    )  # fmt: skip
    if metric is None or not metric.rollup.stored:
        return replace(told, why="it has no days to compare, so no effect is measured")
    last = frame.days.last
    if last is None or (last - day).days + 1 < LEAST:
        return replace(told, why=f"fewer than {LEAST} days are measured since")
    return _measured(frame, metric, told, where, last)


def _measured(
    frame: Frame, metric: Metric[object], told: Effect, where: tuple[tuple[str, str], ...], last: dt.date
) -> Effect:
    day = told.done_on
    asked = Scope(where=where)
    spans = ((day - SPAN, day - dt.timedelta(days=1)), (day, min(day + SPAN - dt.timedelta(days=1), last)))
    try:
        pair = [frame.readings.read(metric, replace(asked, since=a, until=b)) for a, b in spans]
    except ValueError as error:
        return replace(told, why=str(error))
    if any(len(found) != 1 for found in pair):
        return replace(told, why="the number speaks of several groups; say whose is meant")
    before, after = pair[0][0], pair[1][0]
    ends = tuple(_said(metric, r) for r in (before, after))
    shown = replace(told, before=ends[0], after=ends[1])
    a, b = _interval(before), _interval(after)
    if a is None or b is None:
        reason = before.reason or after.reason or "it has no interval"
        return replace(shown, why=f"no difference can be told: {reason}")
    return _changed(metric, shown, after, difference(a, b))


def _changed(metric: Metric[object], shown: Effect, after: Reading, change: Interval) -> Effect:
    clear = change.low > 0 or change.high < 0
    up = change.value > 0
    good = (
        None
        if not clear or metric.direction is Direction.NEITHER
        else up == (metric.direction is Direction.HIGHER)
    )
    sign = "+" if up else words.MINUS
    size = words.change(metric, change.value, after)
    low, high = (_signed(metric, x, after) for x in (change.low, change.high))
    why = "" if clear else "no clear change: the interval of the difference holds 0"
    return replace(shown, change=f"{sign}{size} ({low} to {high})", good=good, why=why)


def _signed(metric: Metric[object], value: float, after: Reading) -> str:
    return f"{'+' if value > 0 else words.MINUS}{words.change(metric, value, after)}"


def _interval(reading: Reading) -> Interval | None:
    if reading.value is None or reading.low is None or reading.high is None:
        return None
    return Interval(reading.value, reading.low, reading.high)


def _said(metric: Metric[object], reading: Reading) -> str:
    shown = words.shown(metric, reading)
    return f"{shown.value} ({shown.interval})" if shown.interval else shown.value
