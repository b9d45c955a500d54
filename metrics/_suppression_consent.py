"""Was there consent at the moment of each marketing send? And what was withheld wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, micros, whole
from metrics._suppression_attempts import attempts
from metrics._suppression_base import REFUSED, People, picked
from metrics._suppression_pairs import CLOCKS, SIDES, Sides, in_view, met
from metrics._suppression_sends import models
from metrics._suppression_touch import ATTEMPT_TOUCH, CONSENT_TOUCH
from metrics.core.contact import never
from metrics.core.metric import Choice, Reach, Rollup
from metrics.core.shapes import Columns, Counts, Ints

DIMS = ("channel", "campaign_id", "provider", "model_id")
VIEWS = tuple(f"{p}_{i}_{c}" for (p, i), c in product(SIDES, CLOCKS))


@dataclass(frozen=True)
class Consents:
    """Marketing sends of one slice: all, those no consent covered, and those covered without proof."""

    sends: int
    gaps: int
    unproven: int

    @classmethod
    def of(cls, columns: Columns) -> Consents:
        return cls(*(int(columns[c].sum()) for c in ("n", "gaps", "unproven")))


def _agreements(facts: Facts, people: People) -> sa.Subquery:
    """What each person last said of marketing in a channel, from one instant to the next: root, channel, from_us,
    next_us, refused (1: no longer subscribed), until_us (consent expires), proven_until_us (consent with proof).
    """
    c = facts["consents"]
    joined, root = people.rooted(c)
    rows = (
        sa.select(
            root.label("root"), c.c.channel, micros(c.c.captured_at).label("us"), c.c.status, c.c.proof_ref,
            sa.func.coalesce(micros(c.c.expires_at), never()).label("expires_us"),
        )
        .select_from(joined)
        .where(c.c.purpose == "marketing")
        .subquery("said")
    )  # fmt: skip
    keys = (rows.c.root, rows.c.channel, rows.c.us)
    proven = sa.case((rows.c.proof_ref.is_not(None), rows.c.expires_us), else_=0)
    said = (
        sa.select(
            *keys, sa.func.max(sa.case((rows.c.status != "subscribed", 1), else_=0)).label("refused"),
            sa.func.max(rows.c.expires_us).label("until_us"), sa.func.max(proven).label("proven_until_us"),
        )
        .group_by(*keys)
        .subquery("instants")
    )  # fmt: skip
    following = sa.func.lead(said.c.us, 1, never()).over(
        partition_by=[said.c.root, said.c.channel], order_by=said.c.us
    )
    return sa.select(said, following.label("next_us")).subquery("agreements")


def _select_consents(facts: Facts) -> sa.Select[Any]:
    people = People.of(facts)
    tried = attempts(facts, people)
    said, model = _agreements(facts, people), models(facts, tried)
    at_that_time = sa.and_(
        said.c.root == tried.c.root,
        said.c.channel == tried.c.channel,
        said.c.us <= tried.c.us,
        tried.c.us < said.c.next_us,
    )
    covered = sa.and_(sa.func.coalesce(said.c.refused, 1) == 0, tried.c.us < said.c.until_us)
    rows = (
        sa.select(
            tried.c.day, *(tried.c[d] for d in DIMS[:3]), model.c.model_id, sa.case((covered, 0), else_=1).label("gap"),
            sa.case((sa.and_(covered, tried.c.us >= said.c.proven_until_us), 1), else_=0).label("unproven"),
        )
        .select_from(
            tried.outerjoin(said, at_that_time).outerjoin(model, model.c.activation_id == tried.c.activation_id)
        )
        .where(tried.c.seq == 0, tried.c.marketing == 1)
        .subquery("sends")
    )  # fmt: skip
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    keys: list[ColumnElement[Any]] = [rows.c.day, *(rows.c[d] for d in facts.dims)]
    return (
        sa.select(
            *keys, whole(sa.func.count()).label("n"), whole(sa.func.sum(rows.c.gap)).label("gaps"),
            whole(sa.func.sum(rows.c.unproven)).label("unproven"),
        )
        .where(inside, picked(rows, facts))
        .group_by(*keys)
    )  # fmt: skip


_TABLES = ("message_events", "activations", "person_merges", "activation_signals", "signals")
CONSENTS: Rollup[Consents] = Rollup(
    key="suppression.consents",
    title="Marketing sends and the consent that covered them",
    tables=(*_TABLES, "consents"),
    dims=DIMS,
    shapes=(Counts(("n", "gaps", "unproven")),),
    select=_select_consents,
    cells=Consents.of,
    touched=CONSENT_TOUCH,
    reach=tuple((name, Reach.ALL) for name in ("message_events", "person_merges", "signals", "consents")),
)


@dataclass(frozen=True)
class Withheld:
    """Cells of one slice: messages refused or skipped, and those of them withheld wrongly, by view."""

    n: Ints
    wrong: dict[str, Ints]

    @classmethod
    def of(cls, columns: Columns) -> Withheld:
        return cls(columns["n"].astype(np.int64), {v: columns[v].astype(np.int64) for v in VIEWS})

    def wrongly(self, choice: Choice) -> int:
        return int(self.wrong[f"{choice['policy']}_{choice['identity']}_{choice['clock']}"].sum())


def _wrongly(sides: Sides) -> sa.Subquery:
    """By activation: is there a stop in scope, one in force, one lifted, and one that rightly stopped it, by view."""
    rows = met(sides)

    def some(test: ColumnElement[bool]) -> ColumnElement[int]:
        return sa.func.max(sa.case((test, 1), else_=0))

    cols = []
    for (p, i), c in product(SIDES, CLOCKS):
        seen, name = in_view(rows, p, i, c), f"{p}_{i}_{c}"
        cols += [
            some(seen).label(f"{name}_any"),
            some(sa.and_(seen, rows.c.held == 1)).label(f"{name}_held"),
            some(sa.and_(seen, rows.c.held == 0)).label(f"{name}_lifted"),
            some(sa.and_(seen, rows.c.held == 1, rows.c.stopped == 1)).label(f"{name}_right"),
        ]
    picked_rows = sa.select(rows.c.activation_id, *cols).where(rows.c.seq == 1).group_by(rows.c.activation_id)
    return picked_rows.subquery("stood")


def _select_withheld(facts: Facts) -> sa.Select[Any]:
    people = People.of(facts)
    tried = attempts(facts, people, refused_only=True)
    stood, model = _wrongly(Sides.of(facts, people, tried)), models(facts, tried, of_few=True)
    flags = []
    for v in VIEWS:
        needed = sa.and_(stood.c[f"{v}_any"] == 1, stood.c[f"{v}_right"] == 0)
        released = sa.and_(stood.c[f"{v}_lifted"] == 1, stood.c[f"{v}_held"] == 0)
        wrong = sa.case(
            (tried.c.purpose.in_(("transactional", "service", "legal")), sa.case((needed, 1), else_=0)),
            (tried.c.purpose == "marketing", sa.case((released, 1), else_=0)),
            else_=0,
        )
        flags.append(wrong.label(v))
    rows = (
        sa.select(tried.c.day, *(tried.c[d] for d in DIMS[:3]), model.c.model_id, *flags)
        .select_from(
            tried.outerjoin(stood, stood.c.activation_id == tried.c.activation_id).outerjoin(
                model, model.c.activation_id == tried.c.activation_id
            )
        )
        .where(tried.c.seq == 1, tried.c.kind == REFUSED)
        .subquery("withheld")
    )
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    keys: list[ColumnElement[Any]] = [rows.c.day, *(rows.c[d] for d in facts.dims)]
    sums = [whole(sa.func.sum(rows.c[v])).label(v) for v in VIEWS]
    return (
        sa.select(*keys, whole(sa.func.count()).label("n"), *sums)
        .where(inside, picked(rows, facts))
        .group_by(*keys)
    )


WITHHELD: Rollup[Withheld] = Rollup(
    key="suppression.withheld",
    title="Messages refused or skipped, and those withheld wrongly",
    tables=(*_TABLES, "suppression_events"),
    dims=DIMS,
    shapes=(Counts(("n", *VIEWS)),),
    select=_select_withheld,
    cells=Withheld.of,
    touched=tuple((name, touch) for name, touch in ATTEMPT_TOUCH if name != "suppression_propagations"),
    reach=tuple(
        (name, Reach.ALL) for name in ("message_events", "person_merges", "signals", "suppression_events")
    ),
)
