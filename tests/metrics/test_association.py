"""How two series move together, and differences of two independent numbers, against published answers and simulation."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from metrics.core.association import LEAST, association
from metrics.core.intervals import Interval, newcombe, wilson
from metrics.core.mover import difference


def test_it_is_the_rank_correlation_of_changes():
    draw = np.random.default_rng(1)
    a, b = draw.normal(size=(2, 40)).cumsum(axis=1)
    found = association(a, b)
    assert found.value == pytest.approx(spearmanr(np.diff(a), np.diff(b)).statistic)
    assert found.low is not None
    assert found.low < found.value < found.high
    assert found.n == 39


def test_two_series_that_only_grow_side_by_side_are_not_associated():
    draw = np.random.default_rng(2)
    weeks = np.arange(60.0)
    found = association(weeks + draw.normal(0, 0.1, 60), 3 * weeks + draw.normal(0, 0.1, 60))
    assert found.low < 0 < found.high


def test_a_gap_costs_the_two_changes_beside_it_and_few_changes_are_no_number():
    a = np.arange(12.0) ** 2
    b = a.copy()
    b[5] = np.nan
    assert association(a, b).n == 9
    short = association(a[:LEAST], a[:LEAST])
    assert short.value is None
    assert "changes are known" in short.reason
    assert "never changes" in association(np.ones(20), np.arange(20.0)).reason


def test_the_interval_covers_about_as_often_as_it_says():
    draw = np.random.default_rng(3)
    true = 6 / np.pi * np.arcsin(0.5 / 2)  # Spearman's of a normal pair with correlation 0.5
    hits, runs = 0, 400
    for _ in range(runs):
        pair = draw.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 30)
        found = association(np.r_[0, pair[:, 0]].cumsum(), np.r_[0, pair[:, 1]].cumsum())
        hits += found.low <= true <= found.high
    assert 0.91 <= hits / runs <= 0.985


def test_the_difference_of_two_wilson_intervals_is_newcombes():
    a, b = wilson(56, 70), wilson(48, 80)
    found, published = difference(b, a), newcombe(56, 70, 48, 80)
    assert (found.value, found.low, found.high) == pytest.approx(
        (published.value, published.low, published.high)
    )


def test_equal_numbers_differ_by_nothing_with_room_on_both_sides():
    same = Interval(0.5, 0.4, 0.6)
    found = difference(same, same)
    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
