"""Early signs from the ledger: contracts that hold, council seats that vote, what is ready to run before it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.ledger_views import CONTRACT_STATES
from data.sql import Facts
from metrics._ledger_cells import DAY, how_many, moment, today
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Rollup, undefined
from metrics.core.shapes import Columns, Counts, Ints

BINDING = ("active", "deprecated")  # statuses of the standard under which a contract holds
TESTED_DAYS = 180  # a rollback tested longer ago is not tested
EARLY = ("hypothesis", "retired")  # nothing is prepared yet, or nothing is any more


@dataclass(frozen=True)
class Contracts:
    """Data contracts in force, and those found kept or broken today: shape (1,) each."""

    contracts: Ints
    kept: Ints
    broken: Ints


@dataclass(frozen=True)
class Seats:
    """Seats of gate reviews that were decided, and votes cast from them (recused ones too): shape (1,) each."""

    seats: Ints
    voted: Ints


@dataclass(frozen=True)
class Checks:
    """Checks of running an initiative, and those passed: shape (1,) each."""

    checks: Ints
    passed: Ints


def _contracts(facts: Facts) -> sa.Select[Any]:
    c, s = facts["contracts"], facts[CONTRACT_STATES]
    inner = (
        sa.select(DAY, c.c.table_name, s.c.state)
        .select_from(c.outerjoin(s, s.c.contract == c.c.record_id))
        .where(c.c.state == "active", c.c.status.in_(BINDING))
        .subquery("promised")
    )
    counts = {
        "contracts": sa.func.count(), "kept": how_many(inner.c.state == "kept"),
        "broken": how_many(inner.c.state == "broken"),
    }  # fmt: skip
    return _counted(inner, facts.dims, counts)


def _seats(facts: Facts) -> sa.Select[Any]:
    """Seats by review, from the list of members that was frozen at its opening; only reviews that were decided."""
    r, d, v = facts["gate_reviews"], facts["gate_decisions"], facts["gate_votes"]
    cast = (
        sa.select(v.c.review, sa.func.count(v.c.seat.distinct()).label("votes"))
        .group_by(v.c.review)
        .subquery("cast_votes")
    )
    between = sa.func.length(r.c.members) - sa.func.length(sa.func.replace(r.c.members, '","', ""))
    seats = sa.case((r.c.members.in_(("[]", "")), 0), else_=between / 3 + 1)
    inner = (
        sa.select(
            DAY, r.c.initiative, r.c.gate, r.c.track, sa.func.coalesce(seats, 0).label("seats"),
            sa.func.coalesce(cast.c.votes, 0).label("votes"),
        )
        .select_from(r.join(d, d.c.review == r.c.record_id).outerjoin(cast, cast.c.review == r.c.record_id))
        .subquery("sittings")
    )  # fmt: skip
    counts: dict[str, ColumnElement[Any]] = {
        "seats": sa.cast(sa.func.sum(inner.c.seats), sa.BigInteger),
        "voted": sa.cast(sa.func.sum(inner.c.votes), sa.BigInteger),
    }
    return _counted(inner, facts.dims, counts)


def _checks(facts: Facts) -> sa.Select[Any]:
    """Every initiative that is past its hypothesis with every check: passed or not."""
    i, o = facts["initiatives"], facts["operability"]
    joined = i.outerjoin(o, sa.and_(o.c.initiative == i.c.record_id, o.c.state == "active"))
    since = moment(facts, days_before=TESTED_DAYS).date().isoformat()
    tests: dict[str, ColumnElement[bool]] = {
        "rollback plan": o.c.rollback_plan.is_not(None),
        "rollback tested": sa.and_(o.c.rollback_tested >= since, o.c.rollback_tested <= today(facts)),
        "runbook": o.c.runbook.is_not(None),
        "on call": o.c.on_call.is_not(None),
        "latency budget": o.c.latency_ms.is_not(None),
        "cost budget": o.c.cost_budget.is_not(None),
        "model card": sa.and_(o.c.card_intended_use.is_not(None), o.c.card_limitations.is_not(None)),
        "review due": o.c.next_review >= today(facts),
    }
    rows = [
        sa.select(
            DAY, i.c.record_id.label("initiative"), i.c.stage, sa.literal(name, sa.Text).label("check_name"),
            sa.case((test, 1), else_=0).label("held"),
        )
        .select_from(joined)
        .where(i.c.state == "active", sa.or_(i.c.stage.is_(None), i.c.stage.not_in(EARLY)))
        for name, test in tests.items()
    ]  # fmt: skip
    inner = sa.union_all(*rows).subquery("checks")
    return _counted(inner, facts.dims, {"checks": sa.func.count(), "passed": how_many(inner.c.held == 1)})


def _counted(inner: FromClause, dims: tuple[str, ...], counts: dict[str, ColumnElement[Any]]) -> sa.Select[Any]:  # fmt: skip
    keys = [inner.c[d] for d in dims]
    named = [n.label(name) for name, n in counts.items()]
    columns: list[ColumnElement[Any]] = [sa.func.min(inner.c.day).label("day"), *keys, *named]
    return sa.select(*columns).select_from(inner).group_by(*keys)


def _ints(columns: Columns, names: tuple[str, ...]) -> tuple[Ints, ...]:
    return tuple(columns[n].astype(np.int64) for n in names)


def _names(cells: type[Contracts] | type[Seats] | type[Checks]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cells))


READY_DATA: Rollup[Contracts] = Rollup(
    key="leading.contracts",
    title="Data contracts in force and whether they hold",
    tables=("contracts", CONTRACT_STATES),
    dims=("table_name",),
    shapes=(Counts(_names(Contracts)),),
    select=_contracts,
    cells=lambda c: Contracts(*_ints(c, _names(Contracts))),
    stored=False,
    ledger=True,
)
SEATS: Rollup[Seats] = Rollup(
    key="leading.seats",
    title="Council seats of decided reviews and votes from them",
    tables=("gate_reviews", "gate_decisions", "gate_votes"),
    dims=("initiative", "gate", "track"),
    shapes=(Counts(_names(Seats)),),
    select=_seats,
    cells=lambda c: Seats(*_ints(c, _names(Seats))),
    stored=False,
    ledger=True,
)
CHECKS: Rollup[Checks] = Rollup(
    key="leading.checks",
    title="What is needed to run an initiative, and what of it is there",
    tables=("initiatives", "operability"),
    dims=("initiative", "stage", "check_name"),
    shapes=(Counts(_names(Checks)),),
    select=_checks,
    cells=lambda c: Checks(*_ints(c, _names(Checks))),
    stored=False,
    ledger=True,
)


def data_ready(cells: Contracts, _: Choice) -> Estimate:
    """Contracts kept of all in force; one that cannot be measured is not kept, and is told."""
    n, kept, broken = (int(c.sum()) for c in (cells.contracts, cells.kept, cells.broken))
    if n and not kept + broken:
        return undefined(f"none of {n} contracts could be measured: they are measured as they are now", n)
    lost = n - kept - broken
    notes = (f"{lost} of {n} contracts could not be measured, so they do not count as kept",) if lost else ()
    return share(kept, n, "no data contract is in force: write the first one on the page Contracts", notes)


def turnout(cells: Seats, _: Choice) -> Estimate:
    nothing = "no gate review was decided, so no seat had to vote"
    return share(int(cells.voted.sum()), int(cells.seats.sum()), nothing)


def prepared(cells: Checks, _: Choice) -> Estimate:
    nothing = "no initiative is past its hypothesis: record the first one on the page Initiatives"
    return share(int(cells.passed.sum()), int(cells.checks.sum()), nothing)
