"""The rollups of the way: steps from score to person and back, and the chains that they make.

Keyed by which hops a chain holds, so whether it is complete is told by the slice that it is read in.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.schema import HOPS
from data.sql import Facts, day_number, whole
from metrics._activation_grid import log_bucket
from metrics._activation_hop_cells import WAITS, ChainCells, StepCells
from metrics._activation_hop_rows import each_activated
from metrics._activation_states import SOURCES, STATE_CELLS
from metrics._activation_touch import days_of, signals_of_links
from metrics.core.metric import Reach, Rollup
from metrics.core.shapes import Counts

DIMS = STATE_CELLS.dims[:-1]  # all but the state: these are activated
TOUCHED = (
    *STATE_CELLS.touched,
    ("activation_hops", days_of(signals_of_links("activation_hops"), "signal_id")),
)
REACH = (*STATE_CELLS.reach, ("activation_hops", Reach.LATER))
TABLES = (*STATE_CELLS.tables, "activation_hops")
STEP = ("place", "to_place", "step_us", "inverted", "least_us", "most_us")
SUMMED = ("observed", "manual", *WAITS)
STEP_KEYS = ("step", "mask", "broken", "bucket", "low_bucket", "high_bucket")


def _bounds(steps: sa.Subquery) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Least and greatest microseconds of a step; both its length unless they differ by more than W / 10."""
    told = (steps.c.most_us - steps.c.least_us) * 10 <= steps.c.window_ms * 1000
    exact = sa.or_(told, steps.c.inverted == 1)
    low, high = (sa.case((exact, steps.c.step_us), else_=steps.c[k]) for k in ("least_us", "most_us"))
    return low, high


def _select_steps(facts: Facts) -> sa.Select[tuple[object, ...]]:
    each = each_activated(facts, STEP, ("mask", "broken"))
    low, high = _bounds(each)
    rows = (
        sa.select(
            day_number(each.c.us).label("day"), *(each.c[d] for d in facts.dims if d != "hop"),
            sa.case(*((each.c.to_place == i, name) for i, name in enumerate(HOPS)), else_="").label("hop"),
            (each.c.place * 100 + each.c.to_place).label("step"), each.c.mask, each.c.broken,
            log_bucket(each.c.step_us).label("bucket"),
            log_bucket(low).label("low_bucket"), log_bucket(high).label("high_bucket"),
            each.c.step_us.label("us"), low.label("low_us"), high.label("high_us"), each.c.inverted,
        )
        .subquery("step_rows")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, *STEP_KEYS)]
    return sa.select(
        *keys,
        whole(sa.func.sum(1 - rows.c.inverted)).label("n"),
        whole(sa.func.sum(rows.c.inverted)).label("inverted"),
        *(whole(sa.func.sum(rows.c[k])).label(k) for k in ("us", "low_us", "high_us")),
    ).group_by(*keys)


def _select_chains(facts: Facts) -> sa.Select[tuple[object, ...]]:
    each = each_activated(facts, (), ("mask", "broken", "said", "manual", *WAITS))
    seen, (by_hand, total) = each.c.said == 1, (WAITS[:2], WAITS[2:])
    rows = (
        sa.select(
            day_number(each.c.us).label("day"), *(each.c[d] for d in facts.dims), each.c.mask, each.c.broken,
            each.c.said.label("observed"), each.c.manual,
            *(sa.case((seen, each.c[c]), else_=0).label(c) for c in by_hand),
            *(sa.case((sa.and_(seen, each.c[c] > 0), each.c[c]), else_=0).label(c) for c in total),
        )
        .subquery("chain_rows")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, "mask", "broken")]
    return sa.select(
        *keys,
        sa.func.count().label("n"),
        *(whole(sa.func.sum(rows.c[k])).label(k) for k in SUMMED),
    ).group_by(*keys)


STEPS: Rollup[StepCells] = Rollup(
    key="activation.steps",
    title="Steps from score to person and back",
    tables=TABLES,
    dims=(*DIMS, "hop"),
    inner=STEP_KEYS,
    shapes=(Counts(("n", "inverted", "us", "low_us", "high_us")),),
    select=_select_steps,
    version=2,
    cells=StepCells.of,
    touched=TOUCHED,
    reach=REACH,
    observed=SOURCES,
)
CHAINS: Rollup[ChainCells] = Rollup(
    key="activation.chains",
    title="Chains of hops of activated signals",
    tables=TABLES,
    dims=DIMS,
    inner=("mask", "broken"),
    shapes=(Counts(("n", *SUMMED)),),
    select=_select_chains,
    version=3,
    cells=ChainCells.of,
    touched=TOUCHED,
    reach=REACH,
    observed=SOURCES,
)
