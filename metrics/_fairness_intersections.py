"""Decisions by the intersections of two protected attributes: a rule may be even for each and uneven for both together."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number
from metrics._fairness_rates import Confusion
from metrics.core.decisions import decided
from metrics.core.metric import INTERSECTION, Rollup
from metrics.core.shapes import Counts

OWN = ("model_id", "model_version")


def _pairs(attributes: list[str]) -> list[tuple[str, ...]]:
    """Every two attributes; the only one where there are no two."""
    return list(combinations(attributes, 2)) or [(a,) for a in attributes]


def _name(attribute: str) -> str:
    return attribute.removeprefix("attr_")


def _text(words: str) -> ColumnElement[str]:
    return sa.literal_column("'" + words.replace("'", "''") + "'", sa.Text())


def _group(rows: sa.Subquery, pair: tuple[str, ...]) -> ColumnElement[str]:
    """The group's name in words: `age_band 60+, region north`."""
    first, *others = pair
    text = _text(f"{_name(first)} ") + rows.c[first]
    for other in others:
        text = text + _text(f", {_name(other)} ") + rows.c[other]
    return text


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    attributes = sorted(c for c in facts["predictions"].c.keys() if c.startswith("attr_"))  # noqa: SIM118 (a column collection, not a dict)
    kept = [d for d in facts.dims if d in OWN]
    rows = decided(replace(facts, dims=(*kept, *attributes)))
    keyed = sa.select(
        day_number(rows.c.us).label("day"),
        *(rows.c[d] for d in (*kept, *attributes)),
        rows.c.decision,
        rows.c.label,
    ).subquery("keyed")
    counted = sa.select(*keyed.c, sa.func.count().label("n")).group_by(*keyed.c).subquery("counted")
    own = [counted.c.day, *(counted.c[d] for d in kept), counted.c.decision, counted.c.label]
    parts = [
        sa.select(
            *own,
            _text(" x ".join(_name(a) for a in pair)).label("attributes"),
            _group(counted, pair).label(INTERSECTION),
            counted.c.n,
        ).where(*(counted.c[a].is_not(None) for a in pair))
        for pair in _pairs(attributes)
    ] or [
        sa.select(*own, _text("").label("attributes"), _text("").label(INTERSECTION), counted.c.n).where(
            sa.false()
        )
    ]
    every = sa.union_all(*parts).subquery("every_")
    names = [d for d in ("attributes", INTERSECTION) if d in facts.dims]
    keys = [every.c.day, *(every.c[d] for d in (*kept, *names)), every.c.decision, every.c.label]
    return sa.select(*keys, sa.cast(sa.func.sum(every.c.n), sa.BigInteger).label("n")).group_by(*keys)


INTERSECTIONS: Rollup[Confusion] = Rollup(
    key="fairness.intersections",
    title="Decisions by outcome and pairs of protected attributes",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version", "attributes", INTERSECTION),
    inner=("decision", "label"),
    shapes=(Counts(("n",)),),
    select=_select,
    cells=Confusion.of,
)
