"""What it cost: money spent by initiative, category and layer, and what remains of the value when it is paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, day_number, double, micros, real, whole
from metrics._chain_line import LINKS, SHAPES, LineCells
from metrics._chain_rows import INNER, LINE, merited_rows, summed_rows
from metrics.core.metric import Rollup
from metrics.core.shapes import Columns, Counts, Floats, Sums, columns_of

SPENT = len(LINKS)  # the code of a cell that holds spending, beside those of the links
LAYERS = ("infrastructure", "data", "models", "orchestration", "inference")
# Where a loss would be mended: wrong or missing persons in the data, waiting between systems in their orchestration,
# refused messages in the infrastructure that carries them.
LAYER_OF = {"identity": "data", "integration": "orchestration", "latency": "orchestration",
            "delivery": "infrastructure"}  # fmt: skip


@dataclass(frozen=True)
class CostCells:
    """Bills of one slice, one entry a cell: how many, money, and currency."""

    n: int
    amount: float
    currencies: tuple[str, ...]

    @classmethod
    def of(cls, columns: Columns) -> CostCells:
        money = tuple(sorted({str(c) for c in columns["currency"]}))
        return cls(int(columns["n"].sum()), float(columns["amount"].astype(float).sum()), money)


def _bills(facts: Facts) -> sa.Subquery:
    """Bills of the span with their day; the day is compared as a number, because dates and times mix badly."""
    c = facts["costs"]
    dated = sa.cast(c.c.cost_date, sa.TIMESTAMP())
    rows = sa.select(
        day_number(micros(dated)).label("day"), c.c.initiative_id, c.c.category, c.c.layer,
        sa.func.coalesce(c.c.currency, "").label("currency"), double(c.c.amount).label("amount"),
    ).subquery("bills")  # fmt: skip
    span = facts.span
    inside = sa.true() if span is None else rows.c.day.between(span.first, span.last)
    pins = [rows.c[k] == v for k, v in facts.where if k in rows.c]
    return sa.select(rows).where(inside, *pins).subquery("bills_asked")


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    rows = _bills(facts)
    keys = [rows.c[k] for k in ("day", *facts.dims, "currency")]
    return sa.select(
        *keys, whole(sa.func.count()).label("n"), sa.func.sum(rows.c.amount).label("amount")
    ).group_by(*keys)


COSTS: Rollup[CostCells] = Rollup(
    key="chain.costs",
    title="Money spent by initiative, category and layer",
    tables=("costs",),
    dims=("initiative_id", "category", "layer"),
    inner=("currency",),
    words=("currency",),
    shapes=(Counts(("n",)), Sums(("amount",))),
    select=_select,
    cells=CostCells.of,
)


@dataclass(frozen=True)
class NetCells:
    """The chains of one slice, and what was spent in it: money by layer (in the order of LAYERS) and without one."""

    line: LineCells
    bills: int
    spent: Floats
    unlayered: float
    currencies: tuple[str, ...]

    @property
    def cost(self) -> float:
        return float(self.spent.sum()) + self.unlayered

    @classmethod
    def of(cls, columns: Columns) -> NetCells:
        code = columns["code"].astype(np.int64)
        paid = code >= SPENT
        own = {k: v[~paid] for k, v in columns.items() if len(v) == len(code)}
        amount, at = columns["expected"][paid].astype(float), code[paid] - SPENT
        spent = np.bincount(at, amount, len(LAYERS) + 1).astype(float)
        names = {str(c) for c in columns["currency"]}
        bills = int(columns["n"][paid].sum())
        return cls(LineCells.of(own), bills, spent[:-1], float(spent[-1]), tuple(sorted(names)))


def _both(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """The cells of the chain, and the bills as cells of their own: by layer, in the column of money."""
    line = summed_rows(facts, merited_rows(facts)).subquery("line_cells")
    bills = _bills(facts)
    layer = sa.case(
        *((bills.c.layer == name, SPENT + i) for i, name in enumerate(LAYERS)), else_=SPENT + len(LAYERS)
    )
    coded = sa.select(bills, layer.label("code")).subquery("coded_bills")
    nothing = sa.literal_column("0", sa.BigInteger())
    spent = (
        sa.select(
            coded.c.day, coded.c.code, sa.literal_column("''", sa.Text()).label("line"), coded.c.currency,
            whole(sa.func.count()).label("n"), nothing.label("units"), nothing.label("converted"),
            sa.func.sum(coded.c.amount).label("expected"), nothing.label("revenue_n"),
            real(0).label("revenue_mean"), real(0).label("revenue_m2"),
        )
        .group_by(coded.c.day, coded.c.code, coded.c.currency)
        .subquery("bill_cells")
    )  # fmt: skip
    names = ("day", *INNER, *columns_of(SHAPES))
    every = sa.union_all(*(sa.select(*(t.c[k] for k in names)) for t in (line, spent))).subquery("both")
    return sa.select(*(every.c[k] for k in names))


NET: Rollup[NetCells] = Rollup(
    key="chain.net",
    title="The chain with what it cost",
    tables=(*LINE.tables, "costs"),
    dims=(),
    inner=INNER,
    words=LINE.words,
    shapes=SHAPES,
    select=_both,
    cells=NetCells.of,
    reach=LINE.reach,
    observed=LINE.observed,
    stored=False,
)
