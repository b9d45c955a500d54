"""Champion against challenger: two versions that scored the same cases, and two versions one after the other."""

from __future__ import annotations

from functools import partial

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import Facts, day_number, double, micros, real, whole
from metrics._model_rollups import LOGIT_LIMIT, SCORES, TINY, ScoreCells
from metrics._model_scores import score_histogram
from metrics.core.delong import INDEPENDENT, PAIRED, Paired, independent, paired
from metrics.core.discrimination import missing_class, rank
from metrics.core.metric import (
    Choice,
    Contrast,
    Dimension,
    Direction,
    Estimate,
    Metric,
    Rollup,
    Setting,
    Unit,
    undefined,
)
from metrics.core.shapes import Columns, Counts

BINS = 4096  # of the log-odds: the bound h of two versions' AUCs is then some 1e-4
NOTHING = "no case was scored by two versions on one day, or none of them has an outcome yet"


def _code(score: ColumnElement[float]) -> ColumnElement[int]:
    inside = score * real(1 - 2 * TINY) + real(TINY)
    logit = sa.func.ln(inside) - sa.func.ln(real(1) - inside)
    step = sa.func.floor((logit + real(LOGIT_LIMIT)) * real(BINS / (2 * LOGIT_LIMIT)))
    top = real(BINS - 1)
    return whole(sa.case((step < real(0), real(0)), (step > top, top), else_=step))


def _scored(facts: Facts, name: str) -> sa.Subquery:
    """Usable predictions with day, bin, outcome, and which of its entity's predictions of the day each is."""
    p = facts["predictions"]
    labels: FromClause = facts["labels"]
    rows = (
        sa.select(
            micros(p.c.predicted_at).label("us"),
            p.c.model_id, p.c.model_version, p.c.entity_id, p.c.prediction_id,
            double(p.c.score).label("score"),
            sa.case((labels.c.label.is_(None), -1), else_=whole(labels.c.label)).label("label"),
        )
        .select_from(p.outerjoin(labels, p.c.prediction_id == labels.c.prediction_id))
        .where(facts.within(p.c.predicted_at), facts.pinned(p), p.c.model_version.is_not(None),
               double(p.c.score) >= real(0), double(p.c.score) <= real(1))
        .subquery(f"{name}_rows")
    )  # fmt: skip
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery(f"{name}_dated")
    turn = sa.func.row_number().over(
        partition_by=[dated.c.model_id, dated.c.model_version, dated.c.entity_id, dated.c.day],
        order_by=[dated.c.us, dated.c.prediction_id],
    )
    return sa.select(
        dated.c.day, dated.c.model_id, dated.c.model_version, dated.c.entity_id, dated.c.label,
        _code(dated.c.score).label("bin"), turn.label("turn"),
    ).subquery(name)  # fmt: skip


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    a, b = _scored(facts, "champion_"), _scored(facts, "challenger_")
    same = sa.and_(
        *(a.c[k] == b.c[k] for k in ("model_id", "entity_id", "day", "turn")),
        a.c.model_version != b.c.model_version,
    )
    named = {"model_id": a.c.model_id, "champion": a.c.model_version, "challenger": b.c.model_version}
    label = sa.case((a.c.label >= 0, a.c.label), else_=b.c.label)
    both = (
        sa.select(
            a.c.day,
            *(column.label(d) for d, column in named.items() if d in facts.dims),
            a.c.bin.label("first"),
            b.c.bin.label("second"),
            label.label("label"),
        )
        .select_from(a.join(b, same))
        .subquery("both")
    )
    keys = list(both.c)
    return sa.select(*keys, sa.func.count().label("n")).where(both.c.label >= 0).group_by(*keys)


def _cells(columns: Columns) -> Paired:
    return Paired(*(columns[k].astype(np.int64) for k in ("first", "second", "label", "n")))


PAIRS: Rollup[Paired] = Rollup(
    key="model.pairs",
    title="Cases scored by two versions on one day",
    tables=("predictions", "labels"),
    dims=("model_id", "champion", "challenger"),
    inner=("first", "second", "label"),
    shapes=(Counts(("n",)),),
    select=_select,
    cells=_cells,
    stored=False,
)


def _paired_of(cells: Paired, _: Choice) -> Estimate:
    return paired(cells, NOTHING)


def _versions(one: ScoreCells, other: ScoreCells, _: Choice) -> Estimate:
    bins = [score_histogram(c) for c in (one, other)]
    for b, whose in zip(bins, ("", "the version compared with: "), strict=True):
        reason = missing_class(float(b.positives.sum()), float(b.negatives.sum()))
        if reason:
            return undefined(whose + reason, int(b.positives.sum() + b.negatives.sum()))
    return independent(*(rank(b.positives, b.negatives) for b in bins))


def _known(cells: ScoreCells) -> int:
    return int(cells.n[cells.label >= 0].sum())


_metric = partial(Metric, dimension=Dimension.TECHNICAL, unit=Unit.SCORE, owner="model owner")
REFERENCES = ("DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595",)
VERSIONS: Metric[ScoreCells] = _metric(
    key="model.auc_version_difference",
    title="Ranking quality: one version less another",
    question="Does this version rank better than the one it is compared with?",
    definition=(
        "AUC of a version - AUC of the version with most known outcomes (or of the one set), each on its own cases; 0 is "
        "no difference. For two versions that scored the same cases see the paired difference."
    ),
    why="A new version is expected to be better; whether it is shows only against the old one, with an interval.",
    direction=Direction.HIGHER,
    rollup=SCORES,
    interval=INDEPENDENT,
    contrast=Contrast("model_version", _versions, _known),
    settings=(
        Setting("reference", "", "version to compare with; empty is the one with most known outcomes"),
    ),
    apart=("model_id",),
    references=REFERENCES,
)
CHALLENGER: Metric[Paired] = _metric(
    key="model.auc_paired_difference",
    title="Challenger less champion, same cases (AUC)",
    question="On the very same cases, does the challenger rank better than the champion?",
    definition=(
        "AUC of the challenger - AUC of the champion, on cases that two versions of a model scored on the same day, asked "
        "of the warehouse each time. The pairing takes out what both find easy or hard."
    ),
    why="A shadow run decides with a fraction of the cases that a comparison over time needs, and is not fooled by a season.",
    direction=Direction.HIGHER,
    rollup=PAIRS,
    interval=PAIRED,
    finalise=_paired_of,
    apart=("model_id", "champion", "challenger"),
    references=REFERENCES,
)
