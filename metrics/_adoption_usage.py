"""What users do with the recommendations of an initiative, and what keeps them from following."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from data.sql import Facts, day_number, micros, whole
from metrics.core.estimates import count, share
from metrics.core.metric import Choice, Estimate, Rollup
from metrics.core.shapes import Columns, Counts

ANSWERS = ("accepted", "overridden", "ignored")


@dataclass(frozen=True)
class ActionCells:
    """Events of one slice: answers to recommendations, other uses, and events that name a barrier."""

    accepted: int
    overridden: int
    ignored: int
    events: int
    barriers: int

    @property
    def answered(self) -> int:
        return self.accepted + self.overridden + self.ignored

    @classmethod
    def of(cls, columns: Columns) -> ActionCells:
        return cls(*(int(columns[k].sum()) for k in (*ANSWERS, "events", "barriers")))


def _actions(facts: Facts) -> sa.Select[tuple[object, ...]]:
    u = facts["usage_events"]
    rows = (
        sa.select(micros(u.c.used_at).label("us"), u.c.initiative_id, u.c.action, u.c.barrier)
        .where(facts.within(u.c.used_at), facts.pinned(u))
        .subquery("usages")
    )
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_usages")
    keys = [dated.c[k] for k in ("day", *facts.dims)]
    answers = [whole(sa.func.sum(sa.case((dated.c.action == k, 1), else_=0))).label(k) for k in ANSWERS]
    named = whole(sa.func.sum(sa.case((dated.c.barrier.is_not(None), 1), else_=0))).label("barriers")
    return sa.select(*keys, *answers, whole(sa.func.count()).label("events"), named).group_by(*keys)


ACTIONS: Rollup[ActionCells] = Rollup(
    key="adoption.actions",
    title="What users did with recommendations",
    tables=("usage_events",),
    dims=("initiative_id", "barrier"),
    shapes=(Counts((*ANSWERS, "events", "barriers")),),
    select=_actions,
    cells=ActionCells.of,
)


def answered(which: str) -> Callable[[ActionCells, Choice], Estimate]:
    """The share of answered recommendations that were answered so."""

    def finalise(cells: ActionCells, _: Choice) -> Estimate:
        return share(
            getattr(cells, which), cells.answered, "no recommendation has been answered in this scope"
        )

    return finalise


def barriers(cells: ActionCells, _: Choice) -> Estimate:
    return count(cells.barriers, "no event names a barrier in this scope")
