"""Episodes: a model that says the same of a person again and again means one thing, and one message answers it.

Signals of one (person, model, signal name) with no qualifying send between them and gaps within the window of the
signal before are one episode. It counts as one signal: its first one's scoring and window, and the sends of all.
An episode may span midnight, so these cells are not kept by day but asked of the warehouse.
"""

from __future__ import annotations

import sqlalchemy as sa

from data.sql import Facts, whole
from metrics._activation_rivals import rivals_of
from metrics._activation_states import (
    INNER,
    SKEW_US,
    SOURCES,
    STATE_CELLS,
    StateCells,
    celled,
    coded,
    first_of,
    linked_sends,
    resolved,
    signals,
)
from metrics.core.metric import Rollup
from metrics.core.persons import roots

GROUP = ("root", "model_id", "signal_name")


def _neighbours(facts: Facts, known: sa.Subquery) -> sa.CTE:
    """Signals that may be activated, each with the scoring and window of the one before it in its group."""
    s = signals(facts, known)
    group, order = [s.c[k] for k in GROUP], [s.c.us, s.c.signal_id]
    before_us, before_ms = (
        sa.func.lag(c).over(partition_by=group, order_by=order) for c in (s.c.us, s.c.window_ms)
    )
    return sa.select(
        s, before_us.label("before_us"), before_ms.label("before_ms"),
    ).where(s.c.excluded < 0).cte("neighbours")  # fmt: skip


def episodes(facts: Facts, known: sa.Subquery, linked: sa.Subquery) -> sa.Subquery:
    """Every signal with the signal that begins its episode: the columns of `signals`, and first_id."""
    near = _neighbours(facts, known)
    sent = (
        sa.select(*(near.c[k] for k in GROUP), linked.c.sent_us)
        .select_from(near.join(linked, linked.c.signal_id == near.c.signal_id))
        .distinct()
        .subquery("group_sends")
    )
    between = sa.and_(
        *(sent.c[k] == near.c[k] for k in GROUP), sent.c.sent_us >= near.c.before_us - SKEW_US,
        sent.c.sent_us < near.c.us - SKEW_US,
    )  # fmt: skip
    cut = sa.select(near.c.signal_id).select_from(near.join(sent, between)).distinct().subquery("cut")
    far = near.c.us - near.c.before_us > near.c.before_ms * 1000
    begins = sa.case((sa.or_(near.c.before_us.is_(None), far, cut.c.signal_id.is_not(None)), 1), else_=0)
    marked = (
        sa.select(near, begins.label("begins"))
        .select_from(near.outerjoin(cut, cut.c.signal_id == near.c.signal_id))
        .subquery("marked")
    )
    order = [marked.c.us, marked.c.signal_id]
    group = [marked.c[k] for k in GROUP]
    turn = whole(sa.func.sum(marked.c.begins).over(partition_by=group, order_by=order)).label("turn")
    turned = sa.select(marked, turn).subquery("turned")
    keys = [*(turned.c[k] for k in GROUP), turned.c.turn]
    first = sa.func.first_value(turned.c.signal_id).over(
        partition_by=keys, order_by=[turned.c.us, turned.c.signal_id]
    )
    return sa.select(turned, first.label("first_id")).subquery("episodes")


def episode_states(facts: Facts) -> sa.Subquery:
    """One row an episode, named after its first signal, with its state's code."""
    known, linked = roots(facts), linked_sends(facts)
    every = episodes(facts, known, linked)
    firsts = sa.select(every).where(every.c.signal_id == every.c.first_id).subquery("first_signals")
    own = (
        sa.select(every.c.first_id.label("signal_id"), *(c for c in linked.c if c.name != "signal_id"))
        .select_from(every.join(linked, linked.c.signal_id == every.c.signal_id))
        .subquery("episode_sends")
    )
    return coded(facts, resolved(firsts, first_of(own), rivals_of(facts, firsts, known)))


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    return celled(facts, episode_states(facts))


EPISODES: Rollup[StateCells] = Rollup(
    key="activation.episodes",
    title="Episodes by state and time taken",
    tables=STATE_CELLS.tables,
    dims=STATE_CELLS.dims,
    inner=INNER,
    shapes=STATE_CELLS.shapes,
    select=_select,
    cells=StateCells.of,
    reach=STATE_CELLS.reach,
    stored=False,
    observed=SOURCES,
)
