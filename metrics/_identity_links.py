"""Which records are one person: the links that hold, the persons they resolve to, and the truth where it is known.

A record's person is the smallest name among its links' persons in today's closure of merges; a link holds unless it
has ended by the observation end. Persons have no day, so these are asked of the warehouse itself (`day` is 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, micros, whole
from metrics.core.metric import Reach, Rollup
from metrics.core.persons import rooted, roots
from metrics.core.shapes import Columns, Counts, Floats, Ints

ADDRESSES = ("email", "phone")


def _links(facts: Facts) -> sa.Subquery:
    """Links that hold: record_id, root, id_type, address (lower case, trimmed), entity (true person or NULL)."""
    link = facts["identity_links"]
    joined, root = rooted(link, roots(facts))
    ends = micros(link.c.valid_to)
    return (
        sa.select(
            link.c.record_id, root.label("root"), link.c.id_type, sa.func.lower(sa.func.trim(link.c.id_value)).label("address"),
            link.c.truth_entity_id.label("entity"),
        )
        .select_from(joined)
        .where(sa.or_(link.c.valid_to.is_(None), ends > sa.literal_column(str(facts.observed_us), sa.BigInteger())))
        .subquery("links")
    )  # fmt: skip


def _records(facts: Facts) -> sa.Subquery:
    """One row a record: record_id, root, entity."""
    links = _links(facts)
    return (
        sa.select(
            links.c.record_id,
            sa.func.min(links.c.root).label("root"),
            sa.func.min(links.c.entity).label("entity"),
        )
        .group_by(links.c.record_id)
        .subquery("records")
    )


def _zero() -> ColumnElement[int]:
    return sa.literal_column("0", sa.BigInteger()).label("day")


@dataclass(frozen=True)
class Records:
    """Persons by how many records they have: `size` records, `n` persons."""

    size: Ints
    n: Ints

    @classmethod
    def of(cls, columns: Columns) -> Records:
        return cls(columns["size"].astype(np.int64), columns["n"].astype(np.int64))


def _select_records(facts: Facts) -> sa.Select[Any]:
    rows = _records(facts)
    own = (
        sa.select(_zero(), whole(sa.func.count()).label("size"))
        .select_from(rows)
        .group_by(rows.c.root)
        .subquery("persons")
    )
    return sa.select(own.c.day, own.c.size, whole(sa.func.count()).label("n")).group_by(own.c.day, own.c.size)


RECORDS: Rollup[Records] = Rollup(
    key="identity.records",
    title="Persons by number of records",
    tables=("identity_links", "person_merges", "message_events", "data_watermarks"),
    dims=(),
    inner=("size",),
    shapes=(Counts(("n",)),),
    select=_select_records,
    cells=Records.of,
    reach=(("person_merges", Reach.ALL),),
    observed=("message_events",),
    stored=False,
)


@dataclass(frozen=True)
class Addresses:
    """Addresses by how many persons use them: `persons`, `n` addresses."""

    persons: Ints
    n: Ints

    @classmethod
    def of(cls, columns: Columns) -> Addresses:
        return cls(columns["persons"].astype(np.int64), columns["n"].astype(np.int64))


def _select_addresses(facts: Facts) -> sa.Select[Any]:
    links = _links(facts)
    users = whole(sa.func.count(links.c.root.distinct())).label("persons")
    own = (
        sa.select(_zero(), links.c.id_type, users)
        .where(links.c.id_type.in_(ADDRESSES), *(links.c[n] == v for n, v in facts.where if n == "id_type"))
        .group_by(links.c.id_type, links.c.address)
        .subquery("addresses")
    )
    keys = [own.c.day, *(own.c[d] for d in facts.dims), own.c.persons]
    return sa.select(*keys, whole(sa.func.count()).label("n")).group_by(*keys)


SHARED: Rollup[Addresses] = Rollup(
    key="identity.addresses",
    title="Addresses by number of persons",
    tables=RECORDS.tables,
    dims=("id_type",),
    inner=("persons",),
    shapes=(Counts(("n",)),),
    select=_select_addresses,
    cells=Addresses.of,
    reach=RECORDS.reach,
    observed=RECORDS.observed,
    stored=False,
)


@dataclass(frozen=True)
class Overlaps:
    """How persons and true persons overlap, in labelled samples: `n` overlaps of `both` records, of a person of
    `found` and a true person of `true` labelled records. Every measure of a partition follows from these.
    """

    both: Floats
    found: Floats
    true: Floats
    n: Floats

    @classmethod
    def of(cls, columns: Columns) -> Overlaps:
        return cls(*(columns[c].astype(float) for c in ("both", "found", "true", "n")))

    def total(self, each: Floats) -> float:
        return float((self.n * each).sum())

    @property
    def records(self) -> int:
        return round(self.total(self.both))

    @property
    def pairs(self) -> tuple[int, int, int]:
        """Pairs of records put together rightly, put together at all, and that belong together."""
        right = self.total(self.both * (self.both - 1)) / 2
        put, belong = (self.total(self.both * (size - 1)) / 2 for size in (self.found, self.true))
        return round(right), round(put), round(belong)

    @property
    def exact(self) -> tuple[int, int]:
        """True persons whose records are exactly those of one person, and all true persons."""
        same = (self.both == self.found) & (self.both == self.true)
        return round(self.total(same.astype(float))), round(self.total(self.both / self.true))


def _select_overlaps(facts: Facts) -> sa.Select[Any]:
    rows = _records(facts)
    known = sa.select(rows.c.root, rows.c.entity).where(rows.c.entity.is_not(None)).cte("labelled")

    def sized(name: str, *keys: ColumnElement[object]) -> sa.Subquery:
        return sa.select(*keys, whole(sa.func.count()).label("size")).group_by(*keys).subquery(name)

    both = sized("both", known.c.root, known.c.entity)
    found, true = sized("found", known.c.root), sized("true_persons", known.c.entity)
    one = (
        sa.select(_zero(), both.c.size.label("both"), found.c.size.label("found"), true.c.size.label("true"))
        .select_from(both.join(found, found.c.root == both.c.root).join(true, true.c.entity == both.c.entity))
        .subquery("overlaps")
    )
    keys = [one.c[k] for k in ("day", "both", "found", "true")]
    return sa.select(*keys, whole(sa.func.count()).label("n")).group_by(*keys)


OVERLAPS: Rollup[Overlaps] = Rollup(
    key="identity.overlaps",
    title="How persons overlap with true persons",
    tables=RECORDS.tables,
    dims=(),
    inner=("both", "found", "true"),
    shapes=(Counts(("n",)),),
    select=_select_overlaps,
    cells=Overlaps.of,
    reach=RECORDS.reach,
    observed=RECORDS.observed,
    stored=False,
)


@dataclass(frozen=True)
class Linked:
    """Signals of one slice, tests left out: all, and those that name no person."""

    n: int
    unlinked: int

    @classmethod
    def of(cls, columns: Columns) -> Linked:
        return cls(int(columns["n"].sum()), int(columns["unlinked"].sum()))


def _select_linked(facts: Facts) -> sa.Select[Any]:
    s = facts["signals"]
    nobody = sa.case((s.c.person_id.is_(None), 1), else_=0)
    rows = (
        sa.select(micros(s.c.scored_at).label("us"), *(s.c[d] for d in facts.dims), nobody.label("nobody"))
        .where(
            facts.within(s.c.scored_at),
            facts.pinned(s),
            sa.or_(s.c.is_test.is_(None), s.c.is_test == sa.false()),
        )
        .subquery("scored")
    )
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated")
    keys = [dated.c.day, *(dated.c[d] for d in facts.dims)]
    return sa.select(
        *keys, whole(sa.func.count()).label("n"), whole(sa.func.sum(dated.c.nobody)).label("unlinked")
    ).group_by(*keys)  # fmt: skip


LINKED: Rollup[Linked] = Rollup(
    key="identity.signals",
    title="Signals and the persons they name",
    tables=("signals",),
    dims=("model_id", "model_version", "signal_name"),
    shapes=(Counts(("n", "unlinked")),),
    select=_select_linked,
    cells=Linked.of,
)
