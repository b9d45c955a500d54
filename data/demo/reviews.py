"""Human and judge-model reviews of a demo text model. A verdict of 1 means that the rubric applies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.demo import files
from data.demo.draws import DAY, SECOND, Bools, Floats, Ints, World, hour_of_day, load_time
from data.demo.specs import ReviewSpec
from data.demo.truth import ReviewTruth


@dataclass(frozen=True)
class _Items:
    """Answers that were judged; the first ones of each day were read by a human too: shapes (n,)."""

    item: Ints
    at: Ints
    stratum: Ints
    hallucinated: Bools
    human: Bools


def review_table(world: World, spec: ReviewSpec) -> tuple[pa.Table, ReviewTruth]:
    """`reviews` of one text model and its true rates."""
    draw = world.stream(f"reviews {spec.model_id}")
    items = _items(world, spec, draw)
    wrong, human = items.hallucinated, items.human
    n = wrong.size
    judged = draw.random(n) < np.where(wrong, spec.judge_sensitivity, 1 - spec.judge_specificity)
    grounded = ~wrong & (draw.random(n) < 0.97)
    correct = ~wrong & (draw.random(n) < 0.94)
    overridden = draw.random(n) < np.where(correct, 0.6 * spec.override, 4 * spec.override)
    every = np.ones(n, np.bool_)
    parts = [
        _part(world, spec, items, every, "hallucination", "judge", judged, draw),
        _part(world, spec, items, human, "hallucination", "human", wrong, draw),
        _part(world, spec, items, human, "groundedness", "human", grounded, draw),
        _part(world, spec, items, human, "correctness", "human", correct, draw),
        _part(world, spec, items, human, "override", "human", overridden, draw),
        _second_reads(world, spec, items, correct),
    ]
    judge_rows, human_rows = parts[0].num_rows, parts[1].num_rows
    return pa.concat_tables(parts), _truth(spec, human_rows, judge_rows)


def _second_reads(world: World, spec: ReviewSpec, items: _Items, correct: Bools) -> pa.Table:
    """A fifth of the items that a human read, judged for correctness by another, who sees one in twenty otherwise."""
    draw = world.stream(f"second reads {spec.model_id}")
    n = correct.size
    again, slip = items.human & (draw.random(n) < 0.2), draw.random(n) < 0.05
    rows = _part(world, spec, items, again, "correctness", "human", correct ^ slip, draw)
    ids = pc.binary_join_element_wise(rows["review_id"], "second", "-")
    return rows.set_column(0, "review_id", ids)


def _items(world: World, spec: ReviewSpec, draw: np.random.Generator) -> _Items:
    human_a_day = max(1, round(world.persons * spec.daily_share))
    a_day = human_a_day * spec.judge_times
    day = np.repeat(np.arange(world.days), a_day)
    n = day.size
    at = (world.first_day + day) * DAY + hour_of_day(draw, n, None)
    stratum = draw.choice(len(spec.strata), n, p=[s.reviewed_share for s in spec.strata])
    risk = np.array([s.hallucination for s in spec.strata])[stratum]
    human = np.arange(n) % a_day < human_a_day
    return _Items(np.arange(n), at, stratum, draw.random(n) < risk, human)


def _part(
    world: World,
    spec: ReviewSpec,
    items: _Items,
    keep: Bools,
    rubric: str,
    reviewer: str,
    verdict: Bools,
    draw: np.random.Generator,
) -> pa.Table:
    """Rows of one rubric and reviewer. Weights undo the over-sampling of risky strata; their mean is 1."""
    wait = draw.uniform(0, 4 * 3600 if reviewer == "human" else 60, items.at.size) * SECOND
    reviewed = items.at + wait.astype(np.int64)
    loaded = load_time(draw, reviewed, 30.0)
    rows = keep & (loaded < world.end)
    n = int(rows.sum())
    ids = files.numbered(f"{spec.model_id}-{reviewer}-{rubric}-", items.at.size)
    weight: Floats = np.array([s.share / s.reviewed_share for s in spec.strata])
    return pa.table(
        {
            "review_id": ids.filter(pa.array(rows)),
            "model_id": files.constant(spec.model_id, n),
            "item_id": files.members(f"{spec.model_id}-answer-", items.at.size, items.item[rows]),
            "reviewed_at": files.times(reviewed[rows]),
            "rubric": files.constant(rubric, n),
            "reviewer_type": files.constant(reviewer, n),
            "verdict": pa.array(verdict[rows].astype(np.int8)),
            "weight": pa.array(weight[items.stratum[rows]]),
            "stratum": files.words([s.name for s in spec.strata], items.stratum[rows]),
            "loaded_at": files.times(loaded[rows]),
        }
    )


def _truth(spec: ReviewSpec, human_items: int, judged_items: int) -> ReviewTruth:
    rate = sum(s.share * s.hallucination for s in spec.strata)
    sampled = sum(s.reviewed_share * s.hallucination for s in spec.strata)
    judged = sampled * spec.judge_sensitivity + (1 - sampled) * (1 - spec.judge_specificity)
    return ReviewTruth(
        model_id=spec.model_id,
        hallucination_rate=rate,
        unweighted_rate=sampled,
        judged_rate=judged,
        posture=spec.posture,
        judge_sensitivity=spec.judge_sensitivity,
        judge_specificity=spec.judge_specificity,
        human_items=human_items,
        judged_items=judged_items,
    )
