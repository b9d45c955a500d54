"""Every attempt of a day with what it violated: the cells behind violations, near misses and their rates.

One row of the statement is a charge (an attempt and the earliest stop it violates in some view), or an attempt
that violates nothing. Counts hold one column a view, so that all eight come from one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import Facts, whole
from metrics._suppression_attempts import attempts, few_days
from metrics._suppression_base import IN_FLIGHT_US, People, number, picked, text
from metrics._suppression_law import TIERS, resolve, tier
from metrics._suppression_pairs import APART, CLOCKS, FLAGS, LATE, Sides, charges
from metrics._suppression_touch import ATTEMPT_TOUCH
from metrics.core.metric import Choice, Reach, Rollup
from metrics.core.shapes import Columns, Counts, Ints

DIMS = (
    "channel", "campaign_id", "provider", "model_id", "trigger_type", "origin_channel", "mode", "jurisdiction", "tier",
)  # fmt: skip
KEYS = ("kind", "clock", "marketing", "crossing", "cross_record")
INNER = (*KEYS, "past_deadline")
COUNTS = ("n", *FLAGS, *LATE, *APART)


@dataclass(frozen=True)
class Attempts:
    """Cells of one slice, one entry each: keys (kind 0 sent, 1 refused; clock 0 effective, 1 received; the rest 0
    or 1), `n` attempts (each counted once, at the headline view), and `counts` of violations by view.
    """

    kind: Ints
    clock: Ints
    marketing: Ints
    crossing: Ints
    cross_record: Ints
    past_deadline: Ints
    n: Ints
    counts: dict[str, Ints]

    @classmethod
    def of(cls, columns: Columns) -> Attempts:
        none = np.zeros(len(columns["n"]), dtype=np.int64)
        kind, clock, marketing, crossing, record, late = (
            columns.get(k, none).astype(np.int64) for k in INNER
        )
        counts = {name: columns[name].astype(np.int64) for name in COUNTS}
        return cls(kind, clock, marketing, crossing, record, late, counts["n"], counts)

    def attempted(self, kind: int, *, marketing: bool = False) -> int:
        """Attempts of a kind, of any purpose or of marketing alone."""
        kept = (self.kind == kind) & ((self.marketing == 1) | (not marketing))
        return int(self.n[kept].sum())

    def charged(
        self,
        choice: Choice,
        kind: int,
        suffix: str = "",
        *,
        where: Ints | None = None,
        clock: str | None = None,
    ) -> int:
        """Attempts of a kind that violate a stop in the view chosen; of those where the mask `where` is 1."""
        policy, identity = choice["policy"], dict(choice.values).get("identity", "truth")
        wanted = clock or dict(choice.values).get("clock", "effective")
        name = f"{policy}{suffix}" if suffix == "_apart" else f"{policy}_{identity}{suffix}"
        kept = (self.kind == kind) & (self.clock == CLOCKS.index(wanted))
        if where is not None:
            kept &= where == 1
        return int(self.counts[name][kept].sum())


def _modes(facts: Facts) -> sa.Subquery:
    """How a stop is carried to a channel: manual where any system is told by hand, else automatic."""
    p = facts["suppression_propagations"]
    by_hand = sa.func.max(sa.case((p.c.mode == "manual", 2), (p.c.mode == "automatic", 1), else_=0))
    rows = (
        sa.select(p.c.suppression_event_id.label("event_id"), p.c.channel, by_hand.label("hand"))
        .group_by(p.c.suppression_event_id, p.c.channel)
        .subquery("told")
    )
    mode = sa.case(
        (rows.c.hand == 2, text("manual")), (rows.c.hand == 1, text("automatic")), else_=text("unknown")
    )
    return sa.select(rows.c.event_id, rows.c.channel, mode.label("mode")).subquery("modes")


def models(facts: Facts, tried: FromClause, *, of_few: bool = False) -> sa.Subquery:
    """The model behind an attempt, where all signals linked to it are of one: activation_id, model_id.

    `of_few`: attempts are few, so that it pays to look for theirs alone.
    """
    link, s = facts["activation_signals"], facts["signals"]
    low, high = sa.func.min(s.c.model_id), sa.func.max(s.c.model_id)
    rows = sa.select(link.c.activation_id, sa.case((low == high, low)).label("model_id")).select_from(
        link.join(s, s.c.signal_id == link.c.signal_id)
    )
    if of_few or few_days(facts):
        rows = rows.where(link.c.activation_id.in_(sa.select(tried.c.activation_id)))
    return rows.group_by(link.c.activation_id).subquery("models")


def _with_models(facts: Facts, tried: FromClause) -> sa.CTE:
    """The attempts with `model_id`: joined once here, not once for those that violate and once for those that do not."""
    model = models(facts, tried)
    joined = tried.outerjoin(model, model.c.activation_id == tried.c.activation_id)
    return sa.select(tried, model.c.model_id).select_from(joined).cte("attempts_with_models")


def _charged_rows(facts: Facts, sides: Sides, charged: FromClause) -> sa.Select[Any]:
    tried, stop, modes = sides.tried, sides.stops, _modes(facts)
    since = sa.case((charged.c.clock == 0, stop.c.from_us), else_=stop.c.known_us)
    plain = sa.case((tried.c.us - since <= IN_FLIGHT_US, text(TIERS[0])), else_=text(TIERS[1]))
    one = sa.case((sa.and_(charged.c.clock == 0, charged.c.strict_truth == 1), 1), else_=0)
    return sa.select(
        tried.c.activation_id, tried.c.day, tried.c.channel, tried.c.campaign_id, tried.c.provider, tried.c.model_id,
        stop.c.trigger_type, stop.c.origin_channel, sa.func.coalesce(modes.c.mode, text("unknown")).label("mode"),
        stop.c.jurisdiction, tier(charged.c.due, tried.c.us, plain).label("tier"),
        tried.c.root, tried.c.kind, charged.c.clock, tried.c.marketing,
        sa.case((tried.c.channel != stop.c.origin_channel, 1), else_=0).label("crossing"),
        sa.case((tried.c.record != stop.c.record, 1), else_=0).label("cross_record"), whole(one).label("n"),
        *(charged.c[f] for f in (*FLAGS, *LATE, *APART)),
    ).select_from(
        charged.join(tried, sa.and_(tried.c.activation_id == charged.c.activation_id, tried.c.seq == charged.c.seq))
        .join(stop, stop.c.rank == charged.c.rank)
        .outerjoin(modes, sa.and_(modes.c.event_id == stop.c.event_id, modes.c.channel == tried.c.channel))
    )  # fmt: skip


def _clean_rows(tried: FromClause, violating: FromClause) -> sa.Select[Any]:
    nothing = sa.cast(sa.null(), sa.Text)
    return sa.select(
        tried.c.activation_id, tried.c.day, tried.c.channel, tried.c.campaign_id, tried.c.provider, tried.c.model_id,
        *(nothing.label(c) for c in ("trigger_type", "origin_channel", "mode", "jurisdiction", "tier")),
        tried.c.root, tried.c.kind, number(0).label("clock"), tried.c.marketing,
        sa.literal_column("0", sa.Integer()).label("crossing"), sa.literal_column("0", sa.Integer()).label("cross_record"),
        number(1).label("n"),
    ).where(tried.c.seq <= 1, tried.c.activation_id.not_in(sa.select(violating.c.activation_id)))  # fmt: skip


def _inside(facts: Facts, rows: FromClause) -> sa.Subquery:
    """Rows cut to the span and the pinned dimensions."""
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    return sa.select(rows).where(inside, picked(rows, facts)).subquery()


def _parts(facts: Facts, people: People) -> tuple[sa.Subquery, sa.Subquery]:
    """The charges, with a flag for each view, and the clean attempts, which need none (and are the many)."""
    tried = _with_models(facts, attempts(facts, people))
    sides = Sides.of(facts, people, tried)
    charged, violating = charges(sides)
    violations = _charged_rows(facts, sides, charged).subquery()
    return _inside(facts, violations), _inside(facts, _clean_rows(tried, violating).subquery())


def judged(facts: Facts, people: People) -> sa.Subquery:
    """One row a charge or clean attempt, with every dimension and flag; cut to the span and the pinned dimensions."""
    violations, clean = _parts(facts, people)
    zeros = [number(0).label(c) for c in COUNTS[1:]]
    names = [c for c in violations.c.keys() if c not in COUNTS[1:]]  # noqa: SIM118 (a column collection)
    wide = sa.select(*(violations.c[c] for c in names), *(violations.c[c] for c in COUNTS[1:]))
    return wide.union_all(sa.select(*(clean.c[c] for c in names), *zeros)).subquery("judged")


def _grouped(rows: FromClause, names: Sequence[str], counts: Sequence[str]) -> sa.Select[Any]:
    """Sums of `counts` by `names`; the other counts are 0, and so is `past_deadline`, which the calendar settles later."""
    keys = [rows.c[n] for n in names if n != "past_deadline"]
    sums = [whole(sa.func.sum(rows.c[c])).label(c) if c in counts else number(0).label(c) for c in COUNTS]
    late = [sa.literal_column("0", sa.Integer()).label("past_deadline")] if "past_deadline" in names else []
    return sa.select(*keys, *late, *sums).group_by(*keys)


def _cells(facts: Facts, inner: Sequence[str]) -> sa.Select[Any]:
    """Charges and clean attempts, each grouped before they are put together: a charge is 33 counts wide."""
    violations, clean = _parts(facts, People.of(facts))
    names = ("day", *facts.dims, *inner)
    both = _grouped(violations, names, COUNTS).union_all(_grouped(clean, names, ("n",))).subquery("cells")
    keys: list[ColumnElement[Any]] = [both.c[n] for n in names]
    return sa.select(*keys, *(whole(sa.func.sum(both.c[c])).label(c) for c in COUNTS)).group_by(*keys)


def _select(facts: Facts) -> sa.Select[Any]:
    """Cells by where the attempts went."""
    return _cells(facts, KEYS)


def _select_charged(facts: Facts) -> sa.Select[Any]:
    """The same by the stop charged as well; `tier` and `past_deadline` are settled on the calendar afterwards."""
    return _cells(facts, INNER)


TABLES = (
    "message_events", "activations", "suppression_events", "suppression_propagations", "person_merges",
    "activation_signals", "signals",
)  # fmt: skip
REACH = tuple(
    (name, Reach.ALL) for name in ("message_events", "suppression_events", "person_merges", "signals")
)

ATTEMPTS: Rollup[Attempts] = Rollup(
    key="suppression.attempts",
    title="Attempts to reach a person, by the stop they violate",
    tables=TABLES,
    dims=DIMS,
    inner=INNER,
    shapes=(Counts(COUNTS),),
    select=_select_charged,
    cells=Attempts.of,
    touched=ATTEMPT_TOUCH,
    reach=REACH,
    derived=resolve,
)
SENDS: Rollup[Attempts] = Rollup(
    key="suppression.sends",
    title="Attempts to reach a person, by where they went",
    tables=TABLES,
    dims=("channel", "campaign_id", "provider", "model_id"),
    inner=KEYS,
    shapes=(Counts(COUNTS),),
    select=_select,
    cells=Attempts.of,
    touched=ATTEMPT_TOUCH,
    reach=REACH,
)
