"""Alignment by Krippendorff's own example and by counting pairs; who was heard."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pandas as pd
import pytest

from metrics import ALL
from metrics.core.alpha import ordinal_alpha
from tests.metrics.rows import DAY, estimate

N = math.nan
# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section E: four observers, twelve units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3),
    (N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N),
)


def answers(rows: list[tuple[str, str, str, int]]) -> pd.DataFrame:
    """Rows of question, respondent, side and answer."""
    return pd.DataFrame({
        "survey_id": "s", "question_id": [r[0] for r in rows], "respondent_id": [r[1] for r in rows],
        "initiative_id": "i", "side": [r[2] for r in rows], "answer": [r[3] for r in rows], "answered_at": DAY,
    }, dtype=object)  # fmt: skip


def by_pairs(ratings: np.ndarray) -> float:
    """Alpha from every pair of ratings, one by one, as its definition says it."""
    units = [[v for v in row if not math.isnan(v)] for row in ratings]
    units = [u for u in units if len(u) > 1]
    every = [v for u in units for v in u]
    held = {c: every.count(c) for c in set(every)}

    def apart(c: float, k: float) -> float:
        low, high = min(c, k), max(c, k)
        between = sum(n for v, n in held.items() if low <= v <= high)
        return float((between - (held[c] + held[k]) / 2) ** 2)

    observed = sum(apart(a, b) / (len(u) - 1) for u in units for a, b in itertools.permutations(u, 2))
    expected = sum(apart(a, b) for a, b in itertools.permutations(every, 2)) / (len(every) - 1)
    return 1 - observed / expected


def test_krippendorffs_own_example_gives_his_figure():
    found = ordinal_alpha(np.array(OBSERVERS).T)
    assert found.value == pytest.approx(0.815, abs=5e-4)
    assert found.low <= found.value <= found.high


def test_random_ratings_agree_with_every_pair_counted_one_by_one():
    draw = np.random.default_rng(4)
    for _ in range(20):
        ratings = draw.integers(1, 6, (9, 3)).astype(float)
        ratings[draw.random((9, 3)) < 0.2] = N
        assert ordinal_alpha(ratings).value == pytest.approx(by_pairs(ratings))


def test_alpha_knows_nothing_where_nothing_differs_or_nothing_is_paired():
    assert ordinal_alpha(np.full((5, 2), 3.0)) is None
    assert ordinal_alpha(np.array([[1.0, N], [N, 2.0]])) is None
    assert ordinal_alpha(np.empty((0, 2))) is None
    assert ordinal_alpha(np.array([[1.0, 1.0], [5.0, 5.0]])).value == 1.0


def test_the_sides_are_compared_by_their_medians():
    rows = [("q1", "t1", "technical", 5), ("q1", "t2", "technical", 5), ("q1", "t3", "technical", 1),
            ("q1", "b1", "business", 5), ("q2", "t1", "technical", 2), ("q2", "b1", "business", 1),
            ("q2", "b2", "business", 3), ("q3", "t1", "technical", 4)]  # fmt: skip
    found = estimate(ALL["leading.alignment"], survey_answers=answers(rows))
    assert found.n == 2  # nobody of the business side answered the third
    assert found.value == pytest.approx(by_pairs(np.array([[5.0, 5.0], [2.0, 2.0]])))


def test_opposite_sides_lie_below_chance_and_row_order_moves_nothing():
    rows = [(f"q{i}", "t", "technical", 1 + i % 5) for i in range(15)]
    rows += [(f"q{i}", "b", "business", 5 - i % 5) for i in range(15)]
    found = estimate(ALL["leading.alignment"], survey_answers=answers(rows))
    assert found.value < 0
    assert found.high < 0.2
    random.Random(1).shuffle(rows)
    again = estimate(ALL["leading.alignment"], survey_answers=answers(rows))
    assert (again.value, again.low, again.high) == (found.value, found.low, found.high)


def test_silence_of_one_side_and_sameness_say_so():
    alone = answers([("q1", "t1", "technical", 5)])
    assert "both sides" in estimate(ALL["leading.alignment"], survey_answers=alone).reason
    assert estimate(ALL["leading.both_sides_heard"], survey_answers=alone).value == 0.0
    same = answers([("q1", "t1", "technical", 3), ("q1", "b1", "business", 3)])
    assert "all answers are the same" in estimate(ALL["leading.alignment"], survey_answers=same).reason
    assert estimate(ALL["leading.both_sides_heard"], survey_answers=same).value == 1.0
