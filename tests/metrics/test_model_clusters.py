import hashlib

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.metrics import roc_auc_score

from data.sql import Facts
from metrics import ALL
from metrics._model_clusters import CLUSTERS, Clusters
from metrics.core.clusters import Placed, auc, rate, rate_limits
from metrics.core.decisions import BUCKETS
from metrics.core.metric import Choice, Estimate
from tests.cases import SOAK
from tests.metrics.rows import estimate, labels, predictions, slices

RUNS = 2000 if SOAK else 150


def bucket(entity: str) -> tuple[str, int]:
    """Which of 64 buckets holds an entity: two digits of its digest, as hashlib sees them."""
    mark = hashlib.md5(entity.encode()).hexdigest()
    return mark[0], int(mark[1], 16) >> 2


def visits(rng: np.random.Generator, persons: int, each: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Scores and outcomes of persons who come `each` times and are much the same each time."""
    taste = rng.standard_normal(persons)
    outcome = (rng.random(persons) < 1 / (1 + np.exp(-taste + 1))).astype(int)
    who = np.repeat(np.arange(persons), each)
    score = 1 / (1 + np.exp(-(taste[who] + 0.3 * rng.standard_normal(len(who)))))
    flipped = rng.random(len(who)) < 0.05
    return score, np.where(flipped, 1 - outcome[who], outcome[who]), [f"person {i}" for i in who]


def read(key: str, score, y, who) -> Estimate:
    frames = {
        "predictions": predictions(list(score), entity_id=who, threshold=0.5),
        "labels": labels(list(y)),
    }
    return estimate(ALL[f"model.{key}"], **frames)


@pytest.fixture(scope="module")
def often() -> tuple[np.ndarray, np.ndarray, list[str]]:
    return visits(np.random.default_rng(1), 600, 8)


def test_the_value_is_the_plain_one_and_only_the_error_differs(often):
    for key in ("auc", "precision", "recall"):
        plain, robust = read(key, *often), read(f"{key}_clustered", *often)
        assert robust.value == pytest.approx(plain.value, abs=1e-9), key
        assert robust.n == plain.n
        assert robust.low < plain.low < plain.high < robust.high, key
    assert robust.value == pytest.approx(read("recall", *often).value)


def test_the_error_of_a_rate_is_the_cluster_robust_one_of_statsmodels(often):
    """Between the buckets to the last digit, between the persons as nearly as 64 buckets can tell."""
    score, y, who = often
    flagged = score >= 0.5
    right, named = y[flagged].astype(float), np.array(who)[flagged]
    buckets = pd.factorize(pd.Series([f"{bucket(w)}" for w in named]))[0]
    persons = pd.factorize(pd.Series(named))[0]
    robust = [
        sm.OLS(right, np.ones(len(right))).fit(cov_type="cluster", cov_kwds={"groups": g}).bse[0] ** 2
        for g in (buckets, persons)
    ]
    found = rate(*(np.bincount(buckets, v, 64) for v in (right, np.ones(len(right)))))
    assert found.variance == pytest.approx(robust[0], rel=1e-9)
    assert 0.6 < found.variance / robust[1] < 1.6
    told, limits = read("precision_clustered", *often), rate_limits(found, float(len(right)))
    assert (told.low, told.high) == pytest.approx((limits.low, limits.high))
    assert f"{found.wider:.2f} times as wide" in told.warnings[0]
    assert found.wider > 1.8


def test_the_error_of_the_auc_is_that_of_a_bootstrap_over_persons(often):
    score, y, who = often
    rng = np.random.default_rng(2)
    rows = pd.Series(np.arange(len(y))).groupby(pd.factorize(pd.Series(who))[0]).apply(np.array).tolist()
    again = [
        roc_auc_score(y[at], score[at])
        for at in (np.concatenate([rows[i] for i in rng.integers(0, 600, 600)]) for _ in range(100))
    ]
    found = read("auc_clustered", *often)
    width = (found.high - found.low) / (2 * 2.0)
    assert 0.75 < width / np.std(again, ddof=1) < 1.35


def test_without_repeats_the_error_is_delongs():
    rng = np.random.default_rng(3)
    score, y, _ = visits(rng, 4000, 1)
    who = [f"person {i}" for i in range(4000)]
    plain, robust = read("auc", score, y, who), read("auc_clustered", score, y, who)
    assert 0.75 < (robust.high - robust.low) / (plain.high - plain.low) < 1.35


def test_one_person_in_many_rows_tells_no_error_and_says_so():
    found = read("precision_clustered", [0.9] * 50, [0, 1] * 25, ["one"] * 50)
    assert found.value is None
    assert "persons in 1 of 64 buckets only" in found.reason
    for key in ("auc_clustered", "precision_clustered", "recall_clustered"):
        assert read(key, [0.9] * 50, [None] * 50, ["one"] * 50).reason


def test_sixty_four_rows_leave_the_warehouse_however_many_persons_there_are(often):
    score, y, who = often
    frames = {
        "predictions": predictions(list(score), entity_id=who, threshold=0.5),
        "labels": labels(list(y)),
    }
    cells = slices(CLUSTERS, **frames)[()]
    assert isinstance(cells, Clusters)
    assert len(cells.n) == BUCKETS == len({bucket(w) for w in who})
    sizes = sorted(cells.n.tolist())
    expected = pd.Series([str(bucket(w)) for w in who]).value_counts()
    assert sizes == sorted(expected.tolist())
    assert Facts({}).limits == ()


def test_clustered_intervals_cover_where_plain_ones_do_not():
    """Ten rows a person: an interval that takes each for news covers two times in three at best."""
    rng = np.random.default_rng(4)
    robust, plain = np.zeros(2), np.zeros(2)
    truth_rate, truth_auc = 0.3, 0.7602499389  # normals one standard deviation apart
    for _ in range(RUNS):
        y = (rng.random(800) < truth_rate).astype(float)
        s = rng.standard_normal(800) + y
        place = rng.integers(0, 64, 800)
        found = rate(10 * np.bincount(place, y, 64), 10 * np.bincount(place, minlength=64).astype(float))
        limits = rate_limits(found, 8000.0)
        robust[0] += limits.low <= truth_rate <= limits.high
        plain[0] += abs(found.value - truth_rate) <= 1.96 * np.sqrt(found.independent)
        one = auc(placed(s, y, place, 10))
        robust[1] += abs(one.value - truth_auc) <= one.reach * np.sqrt(one.variance)
        plain[1] += abs(one.value - truth_auc) <= 1.96 * np.sqrt(one.independent)
    slack = 0.02 if SOAK else 0.05
    assert (np.abs(robust / RUNS - 0.95) <= slack).all(), robust / RUNS
    assert (plain / RUNS < 0.7).all()


def placed(score: np.ndarray, y: np.ndarray, place: np.ndarray, times: int) -> Placed:
    """The bucket sums of cases that each count `times` times."""
    order = np.argsort(score)
    p, q, at = y[order], 1 - y[order], place[order]
    below, above = (np.cumsum(q) - q / 2) / q.sum(), 1 - (np.cumsum(p) - p / 2) / p.sum()
    rows = (p, q, p * below, q * above, p * below**2, q * above**2)
    return Placed(*(times * np.bincount(at, x, 64) for x in rows))


# ----- refined bins -----


def test_refined_bins_bring_the_bound_down_and_the_value_to_the_exact_one():
    """A rare outcome whose scores crowd few bins: the quick AUC is within h, the refined one within a thousandth of it."""
    rng = np.random.default_rng(5)
    y = (rng.random(20_000) < 0.02).astype(int)
    score = 0.02 + 2e-3 * rng.random(20_000) + 1e-3 * y * rng.random(20_000)
    frames = {"predictions": predictions(list(score)), "labels": labels(list(y))}
    quick, bound, refined, exact = (
        estimate(ALL[f"model.{k}"], **frames) for k in ("auc", "auc_bound", "auc_refined", "auc_exact")
    )
    assert bound.value > 1e-2
    assert "ask model.auc_refined" in bound.warnings[-1]
    assert exact.value == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert abs(quick.value - exact.value) <= bound.value
    assert abs(refined.value - exact.value) <= 1e-4
    assert (refined.low, refined.high) == pytest.approx((exact.low, exact.high), abs=3e-4)
    assert "bins cut into up to 4,096 parts" in refined.warnings[0]


def test_scores_beyond_the_grid_are_refined_in_their_order():
    rng = np.random.default_rng(6)
    y = (rng.random(4000) < 0.5).astype(int)
    for sign in (-1, 1):
        logit = sign * (12.5 + 8 * rng.random(4000)) + 1.5 * y
        score = 1 / (1 + np.exp(-logit))
        refined = estimate(
            ALL["model.auc_refined"], predictions=predictions(list(score)), labels=labels(list(y))
        )
        assert refined.value == pytest.approx(roc_auc_score(y, score), abs=2e-3)


def test_what_cannot_be_refined_says_why():
    tied = estimate(ALL["model.auc_refined"], predictions=predictions([0.5] * 40), labels=labels([0, 1] * 20))
    assert tied.value == 0.5
    none = estimate(ALL["model.auc_refined"], predictions=predictions([0.5] * 4), labels=labels([1] * 4))
    assert "no negative outcome" in none.reason
    assert Choice().values == ()
