"""What the organisation learned, counted in its learning events: components, trainings, knowledge handed on."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from data.sql import Facts, day_number, micros, whole
from metrics.core.contact import end_of
from metrics.core.estimates import count, share
from metrics.core.metric import Choice, Estimate, Reach, Rollup
from metrics.core.shapes import Columns, Counts

PUBLISHED, REUSED, HANDED_ON = "component_published", "component_reused", "knowledge_transfer"
ASSIGNED, COMPLETED = "training_assigned", "training_completed"


@dataclass(frozen=True)
class ComponentCells:
    """Initiatives that use a component, once each: pairs (component, initiative); no initiative is the empty word."""

    pairs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, columns: Columns) -> ComponentCells:
        return cls(frozenset(zip(columns["component"].tolist(), columns["member"].tolist(), strict=True)))

    @property
    def components(self) -> frozenset[str]:
        return frozenset(c for c, _ in self.pairs)

    @property
    def shared(self) -> int:
        """Components that two initiatives or more use; a row that names no initiative says nothing of who uses it."""
        named = [c for c, who in self.pairs if who]
        return sum(named.count(c) > 1 for c in set(named))


@dataclass(frozen=True)
class TransferCells:
    """Times that knowledge was handed on, of one slice."""

    transfers: int

    @classmethod
    def of(cls, columns: Columns) -> TransferCells:
        return cls(int(columns["transfers"].sum()))


@dataclass(frozen=True)
class TrainingCells:
    """Trainings assigned to somebody by name, and how many of these that person has completed."""

    assigned: int
    completed: int

    @classmethod
    def of(cls, columns: Columns) -> TrainingCells:
        return cls(*(int(columns[k].sum()) for k in ("assigned", "completed")))


def _components(facts: Facts) -> sa.Select[tuple[object, ...]]:
    e = facts["learning_events"]
    rows = (
        sa.select(
            micros(e.c.event_at).label("us"), e.c.subject, e.c.subject.label("component"),
            sa.func.coalesce(e.c.initiative_id, "").label("member"),
        )
        .where(e.c.event.in_((PUBLISHED, REUSED)), facts.within(e.c.event_at), facts.pinned(e))
        .subquery("components")
    )  # fmt: skip
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_components")
    keys = [dated.c[k] for k in ("day", *facts.dims, "component", "member")]
    return sa.select(*keys, whole(sa.func.count()).label("uses")).group_by(*keys)


def _transfers(facts: Facts) -> sa.Select[tuple[object, ...]]:
    e = facts["learning_events"]
    rows = (
        sa.select(micros(e.c.event_at).label("us"), e.c.initiative_id, e.c.subject)
        .where(e.c.event == HANDED_ON, facts.within(e.c.event_at), facts.pinned(e))
        .subquery("transfers")
    )
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_transfers")
    keys = [dated.c[k] for k in ("day", *facts.dims)]
    return sa.select(*keys, whole(sa.func.count()).label("transfers")).group_by(*keys)


def _trainings(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """One row a training and person: assigned when first, completed where that person ever completed it."""
    e = facts["learning_events"]
    every = (
        sa.select(
            e.c.initiative_id, e.c.subject, e.c.person, e.c.event, micros(e.c.event_at).label("us")
        )
        .where(e.c.event.in_((ASSIGNED, COMPLETED)), e.c.person.is_not(None))
        .subquery("trainings")
    )  # fmt: skip
    known = sa.select(every).where(every.c.us <= end_of(facts)).subquery("known_trainings")
    done = (
        sa.select(known.c.subject, known.c.person, whole(sa.func.count()).label("times"))
        .where(known.c.event == COMPLETED)
        .group_by(known.c.subject, known.c.person)
        .subquery("done")
    )
    asked = (
        sa.select(
            known.c.initiative_id, known.c.subject, known.c.person, whole(sa.func.min(known.c.us)).label("us")
        )
        .where(known.c.event == ASSIGNED)
        .group_by(known.c.initiative_id, known.c.subject, known.c.person)
        .subquery("asked")
    )
    joined = asked.outerjoin(
        done, sa.and_(done.c.subject == asked.c.subject, done.c.person == asked.c.person)
    )
    rows = (
        sa.select(
            day_number(asked.c.us).label("day"), asked.c.initiative_id, asked.c.subject,
            sa.case((done.c.times.is_(None), 0), else_=1).label("trained"),
        )
        .select_from(joined)
        .where(*_inside(facts, asked))
        .subquery("coverage")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims)]
    completed = whole(sa.func.sum(rows.c.trained)).label("completed")
    return sa.select(*keys, whole(sa.func.count()).label("assigned"), completed).group_by(*keys)


def _inside(facts: Facts, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    pins = [rows.c[k] == v for k, v in facts.where if k in rows.c]
    if facts.span is None:
        return pins
    day = day_number(rows.c.us)
    return [*pins, day >= facts.span.first, day <= facts.span.last]


COMPONENTS: Rollup[ComponentCells] = Rollup(
    key="learning.components",
    title="Components and the initiatives that use them",
    tables=("learning_events",),
    dims=("subject",),
    inner=("component", "member"),
    words=("component", "member"),
    shapes=(Counts(("uses",)),),
    select=_components,
    cells=ComponentCells.of,
)
TRANSFERS: Rollup[TransferCells] = Rollup(
    key="learning.transfers",
    title="Times that knowledge was handed on",
    tables=("learning_events",),
    dims=("initiative_id", "subject"),
    shapes=(Counts(("transfers",)),),
    select=_transfers,
    cells=TransferCells.of,
)
TRAININGS: Rollup[TrainingCells] = Rollup(
    key="learning.trainings",
    title="Trainings assigned and completed",
    tables=("learning_events", "data_watermarks"),
    dims=("initiative_id", "subject"),
    shapes=(Counts(("assigned", "completed")),),
    select=_trainings,
    cells=TrainingCells.of,
    reach=(("learning_events", Reach.ALL),),
    observed=("learning_events",),
    stored=False,
)


def reuse(cells: ComponentCells, _: Choice) -> Estimate:
    nothing = "no component was published or reused in this scope"
    return share(cells.shared, len(cells.components), nothing)


def transfers(cells: TransferCells, _: Choice) -> Estimate:
    return count(cells.transfers, "no knowledge transfer is recorded in this scope")


def coverage(cells: TrainingCells, _: Choice) -> Estimate:
    return share(cells.completed, cells.assigned, "no training was assigned to anybody by name in this scope")
