"""The signals behind a headline, one row each: what was lost, what can still be saved, what waited longest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, double, real
from metrics._activation_hop_rows import manual_waits
from metrics._activation_hops import TABLES as HOP_TABLES
from metrics._activation_slo import WINDOWS
from metrics._activation_states import (
    IN_WINDOW,
    LATE,
    MINUTE_US,
    MISSED,
    OPEN,
    SOURCES,
    STATE_CELLS,
    STATES,
    resolved_states,
)
from metrics.core.contact import end_of, instant, never
from metrics.core.metric import Cases, Choice

Rows = sa.Subquery | sa.CTE
Order = Callable[[Facts, Rows], ColumnElement[Any]]


def _known(us: ColumnElement[int]) -> ColumnElement[int]:
    """A time, or NULL for one that never came."""
    return sa.case((us < never(), us))


def _state(rows: Rows) -> ColumnElement[str]:
    words = (sa.literal_column(f"'{name.replace('_', ' ')}'", sa.Text()) for name in STATES)
    return sa.case(*((rows.c.code == i, word) for i, word in enumerate(words)))


def closes(rows: Rows) -> ColumnElement[int]:
    """When the window of a signal ends, epoch microseconds."""
    return rows.c.us + rows.c.window_ms * 1000


def waited(facts: Facts, rows: Rows) -> ColumnElement[int]:
    """Microseconds from scoring to the send, or to the observation end."""
    return sa.case((rows.c.sent_us < never(), rows.c.sent_us), else_=end_of(facts)) - rows.c.us


def hours(us: ColumnElement[int]) -> ColumnElement[float]:
    """Hours to one decimal, of microseconds."""
    return double(sa.func.round(double(us) / real(3.6e8))) / real(10)


def _columns(facts: Facts, rows: Rows) -> list[ColumnElement[Any]]:
    return [
        rows.c.signal_id, rows.c.root.label("person_id"), rows.c.model_id, _state(rows).label("state"),
        rows.c.us.label("scored_us"), closes(rows).label("window_end_us"), _known(rows.c.sent_us).label("sent_us"),
        hours(waited(facts, rows)).label("hours_waited"), rows.c.channel,
        rows.c.campaign_id,
    ]  # fmt: skip


def _listed(facts: Facts, rows: Rows, kept: ColumnElement[bool], order: ColumnElement[Any]) -> sa.Select[Any]:
    pins = [rows.c[name] == value for name, value in facts.where if name in rows.c]
    return sa.select(*_columns(facts, rows)).where(kept, *pins).order_by(order, rows.c.signal_id)


def _of(codes: tuple[int, ...], order: Order) -> Callable[[Facts, Choice], sa.Select[Any]]:
    def select(facts: Facts, _: Choice) -> sa.Select[Any]:
        rows = resolved_states(facts)
        return _listed(facts, rows, rows.c.code.in_(codes), order(facts, rows))

    return select


def _burnt(facts: Facts, choice: Choice) -> sa.Select[Any]:
    """Late and missed signals whose window closed within the burn window, as the burn rate counts them."""
    rows = resolved_states(facts)
    since = facts.observed_us - WINDOWS[choice["window"]] * MINUTE_US
    due = sa.and_(closes(rows) > instant(since), closes(rows) <= end_of(facts))
    return _listed(facts, rows, sa.and_(rows.c.code.in_((LATE, MISSED)), due), closes(rows).desc())


def _manual(facts: Facts, _: Choice) -> sa.Select[Any]:
    """Activated signals that waited for a person's hand, the longest such wait first."""
    rows, waits = manual_waits(facts)
    pins = [rows.c[name] == value for name, value in facts.where if name in rows.c]
    return (
        sa.select(*_columns(facts, rows), hours(waits.c.manual_us).label("hours_waited_for_a_hand"))
        .select_from(rows.join(waits, waits.c.signal_id == rows.c.signal_id))
        .where(waits.c.manual == 1, *pins)
        .order_by(waits.c.manual_us.desc(), rows.c.signal_id)
    )


def _cases(title: str, select: Callable[[Facts, Choice], sa.Select[Any]]) -> Cases:
    return Cases(title, STATE_CELLS.tables, select, SOURCES)


LOST = _cases(
    "signals late or missed, the newest first", _of((LATE, MISSED), lambda _, rows: rows.c.us.desc())
)
SLOWEST = _cases(
    "signals sent or still waiting, the longest wait first",
    _of((IN_WINDOW, LATE, OPEN, MISSED), lambda facts, rows: waited(facts, rows).desc()),
)
SAVEABLE = _cases(
    "signals still open, the window that closes first on top", _of((OPEN,), lambda _, rows: closes(rows))
)
DEAREST = _cases(
    "signals late or missed, the greatest expected value first",
    _of((LATE, MISSED), lambda _, rows: rows.c.expected.desc()),
)
BURNT = _cases("signals that spent the error budget, the newest first", _burnt)
BY_HAND = Cases(
    "signals that waited for a manual step, the longest such wait first", HOP_TABLES, _manual, SOURCES
)
