import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc

from metrics.core.discrimination import (
    BOUNDARY,
    DELONG,
    auc,
    hidden_class,
    missing_class,
    rank,
    roc_band,
    roc_curve,
)
from tests.cases import CASES, needs_cases


def by_score(score, y) -> tuple[np.ndarray, np.ndarray]:
    """One bin for each distinct score: the exact form."""
    _, at = np.unique(np.asarray(score, dtype=float), return_inverse=True)
    y = np.asarray(y)
    return np.bincount(at, y), np.bincount(at, 1 - y)


def delong_by_pairs(score, y) -> tuple[float, float]:
    """DeLong's AUC and variance the slow and obvious way: every pair."""
    score, y = np.asarray(score, dtype=float), np.asarray(y)
    pos, neg = score[y == 1], score[y == 0]
    wins = (pos[:, None] > neg) + 0.5 * (pos[:, None] == neg)
    return wins.mean(), wins.mean(1).var(ddof=1) / len(pos) + wins.mean(0).var(ddof=1) / len(neg)


def asah() -> tuple[list[dict[str, str]], np.ndarray]:
    with (CASES / "models/aSAH.csv").open() as f:
        rows = list(csv.DictReader(f))
    return rows, np.array([int(r["outcome"] == "Poor") for r in rows])


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[float], list[int]]:
    """Scores with ties and extremes, and labels of both classes."""
    score = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 1e-300, 0.1]))
    pairs = draw(st.lists(st.tuples(score, st.integers(0, 1)), min_size=2, max_size=80))
    s, y = [p[0] for p in pairs], [p[1] for p in pairs]
    y[0], y[1] = 0, 1
    return s, y


@needs_cases
def test_auc_and_variance_equal_procs_on_the_asah_data():
    published = next(
        c for c in json.loads((CASES / "models/cases.json").read_text()) if c["id"] == "aSAH_delong"
    )
    rows, poor = asah()
    for column, (value, variance) in published["published"]["auc_var"].items():
        found = rank(*by_score([float(r[column]) for r in rows], poor))
        assert found.auc == pytest.approx(value, abs=1e-9)
        assert found.variance == pytest.approx(variance, abs=1e-9)
        assert auc(found).method.startswith(DELONG)


@given(scored())
def test_the_exact_form_equals_scikit_learn_and_the_pairwise_variance(data):
    score, y = data
    found = rank(*by_score(score, y))
    assert found.auc == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    if min(sum(y), len(y) - sum(y)) >= 2:
        assert found.variance == pytest.approx(delong_by_pairs(score, y)[1], abs=1e-12)


@given(scored(), st.integers(1, 12))
def test_any_binning_is_within_its_bound(data, bins):
    score, y = np.array(data[0]), np.array(data[1])
    at = np.minimum((score * bins).astype(int), bins - 1)
    found = rank(np.bincount(at, y), np.bincount(at, 1 - y))
    assert abs(found.auc - roc_auc_score(y, score)) <= found.bound + 1e-12


@given(scored())
def test_the_interval_holds_the_estimate_and_is_never_a_point(data):
    found = auc(rank(*by_score(*data)))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    assert found.n == len(data[0])


def test_perfect_separation_is_not_one_to_one():
    for m, k in ((1, 1), (3, 40), (500, 500), (10, 10**7)):
        found = auc(rank(np.array([0, m]), np.array([k, 0])))
        assert found.value == 1
        assert found.low < 1
        assert found.high == 1
        assert found.method == BOUNDARY
    reverse = auc(rank(np.array([3, 0]), np.array([0, 40])))
    assert (reverse.value, reverse.low) == (0, 0)
    assert reverse.high > 0


def test_equal_scores_rank_no_better_than_chance_and_say_how_little_is_known():
    found = auc(rank(np.array([20]), np.array([30])))
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_the_boundary_interval_equals_newcombes_formula():
    found = auc(rank(np.array([0, 15]), np.array([25, 0])))
    m, k, low = 15, 25, found.low
    half = (m + k) / 2 - 1
    variance = low * (1 - low) / (m * k) * (1 + half * (1 - low) / (2 - low) + half * low / (1 + low))
    assert (1 - low) ** 2 == pytest.approx(1.959963984540054**2 * variance)


def test_one_class_is_undefined_with_the_class_named():
    assert missing_class(0, 812) == "no positive outcome among 812 labelled predictions"
    assert missing_class(7, 0) == "no negative outcome among 7 labelled predictions"
    assert "load labels" in missing_class(0, 0)
    assert missing_class(1, 1) == ""
    assert hidden_class(0, 812).value is None


def test_huge_counts_do_not_overflow():
    small = rank(np.array([1, 2, 3]), np.array([4, 2, 1]))
    big = rank(np.array([1, 2, 3], dtype=np.int64) * 10**11, np.array([4, 2, 1], dtype=np.int64) * 10**11)
    assert big.auc == pytest.approx(small.auc, rel=1e-12)
    assert big.variance is not None
    assert 0 < big.variance < 1e-10
    found = auc(big)
    assert found.low < found.value < found.high


def test_few_of_a_class_is_said():
    assert auc(rank(np.array([1, 2]), np.array([400, 20]))).warnings == ("only 3 positive outcomes",)
    assert auc(rank(np.array([400, 200]), np.array([400, 20]))).warnings == ()


def test_delongs_interval_covers_the_truth():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        y = rng.binomial(1, 0.3, 200)
        s = rng.normal(size=200) + y  # true AUC = Phi(1 / sqrt 2)
        found = auc(rank(*by_score(s, y)))
        held += found.low <= 0.7602499389 <= found.high
    assert held / 400 >= 0.925


@given(scored())
def test_the_roc_curve_passes_through_scikit_learns_corners(data):
    score, y = data
    found = roc_curve(*by_score(score, y))
    fpr, tpr, _ = sklearn_roc(y, score, drop_intermediate=False)
    assert found.false_positive_rate == pytest.approx(fpr)
    assert found.true_positive_rate == pytest.approx(tpr)
    assert len(roc_curve(np.array([1, 2]), np.array([0, 0])).true_positive_rate) == 0


def test_the_band_holds_the_whole_true_curve_at_least_as_often_as_it_says():
    """Scores N(0, 1) against N(1, 1): the true curve is Phi(1 + Phi^-1(fpr)). The band is one of limits, so it errs wide."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(300):
        y = np.r_[np.ones(80), np.zeros(160)].astype(int)
        s = rng.normal(size=240) + y
        found = roc_band(roc_curve(*by_score(s, y)), 80, 160)
        truth = norm.cdf(1 + norm.ppf(np.clip(found.false_positive_rate, 0, 1)))
        held += bool(((found.low <= truth + 1e-12) & (truth <= found.high + 1e-12)).all())
    assert held / 300 >= 0.95


def test_the_band_by_hand():
    """100 of each class: each limit is sqrt(log(2 / (1 - sqrt(0.95))) / 200) = 0.148 aside and up of a perfect corner."""
    found = roc_band(roc_curve(np.array([0, 100]), np.array([100, 0])), 100, 100)
    assert found.low[0] == 0
    assert found.low[-1] == pytest.approx(1 - 0.14781, abs=1e-5)
    assert (found.high == 1).all()
    assert (np.diff(found.low) >= 0).all()
