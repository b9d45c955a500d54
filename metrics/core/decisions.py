"""One row a prediction with its decision and label: what the model and fairness families both read."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.digests import digest
from data.sql import Facts, double, micros, real, whole

UNLABELLED = -1
UNDECIDED = -1
BUCKETS = 64  # of persons or things, for errors that know what goes together
HUGE = 1.7976931348623157e308


def finite(column: ColumnElement[float]) -> ColumnElement[bool]:
    """Whether a value is neither NULL, NaN nor infinite (NaN sorts as the largest on most engines)."""
    return sa.and_(column.is_not(None), column <= real(HUGE), column >= real(-HUGE))


def _known(labels: FromClause) -> FromClause:
    """Labels that say something. The test also leads DuckDB to build its join on this, the narrower side (15 % faster)."""
    return (
        sa.select(labels.c.prediction_id, labels.c.label).where(labels.c.label.is_not(None)).subquery("known")
    )


def _bucket(p: FromClause) -> ColumnElement[int]:
    """One of 64 numbers from the digest of the entity: a few tests of its first digits, so that no digest leaves."""
    mark = digest(sa.case((p.c.entity_id.is_(None), p.c.prediction_id), else_=p.c.entity_id))
    first, second = (sa.func.substr(mark, at, 1) for at in (1, 2))
    bits = [(first, 8, 8), (first, 4, 16), (first, 2, 32), (first, 1, 4), (second, 8, 2), (second, 4, 1)]
    parts = [
        sa.case((sa.or_(*(digit == d for d in _with(bit))), worth), else_=0) for digit, bit, worth in bits
    ]
    return sum(parts[1:], parts[0])


def _with(bit: int) -> list[ColumnElement[str]]:
    """The hexadecimal digits that have a bit."""
    return [sa.literal_column(f"'{d:x}'", sa.Text()) for d in range(16) if d & bit]


def decided(facts: Facts, *, bucketed: bool = False) -> sa.Subquery:
    """Make the columns us, the dims, score, decision (1 flagged, 0 not, -1 unknown), label (1, 0, -1 none).

    `bucketed` adds `bucket`, one of BUCKETS that all predictions of a person or thing share.

    The decision is the recorded one where present, else score >= threshold. `prediction_id` is the key of
    both tables, so the join never multiplies rows.
    """
    p, labels = facts["predictions"], _known(facts["labels"])
    score = double(p.c.score)
    flagged = sa.case(
        (p.c.decision.is_not(None), whole(p.c.decision)),
        (sa.or_(p.c.threshold.is_(None), sa.not_(finite(score))), UNDECIDED),
        (score >= double(p.c.threshold), 1),
        else_=0,
    )
    return (
        sa.select(
            micros(p.c.predicted_at).label("us"),
            *(p.c[d].label(d) for d in facts.dims),
            score.label("score"),
            flagged.label("decision"),
            sa.case((labels.c.label.is_(None), UNLABELLED), else_=whole(labels.c.label)).label("label"),
            *([_bucket(p).label("bucket")] if bucketed else []),
        )
        .select_from(p.outerjoin(labels, p.c.prediction_id == labels.c.prediction_id))
        .where(facts.within(p.c.predicted_at), facts.pinned(p), facts.limited(p, p.c.predicted_at))
        .subquery("decided")
    )
