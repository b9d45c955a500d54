import csv
import datetime as dt

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from metrics import ALL
from metrics._model_estimated import SCORES_OF_ALL_DAYS, EstimateCells
from metrics._model_labels import ARRIVALS, Arrivals, arrival_curve, maturity_days
from metrics._model_rollups import SCORES
from metrics._model_service import ERROR
from metrics.core.ece import calibration_error
from metrics.core.metric import Choice
from metrics.core.top import average_precision, average_precision_limits, first, hits
from tests.cases import CASES, SOAK, needs_cases
from tests.metrics.model_coverage import OURS, draws, hallucination, quality
from tests.metrics.rows import DAY, NONE, estimate, labels, predictions, slices

RUNS = 2000 if SOAK else 120


def of(key: str, score, y, choice: tuple[tuple[str, str], ...] = (), **columns):
    metric = ALL[f"model.{key}"]
    cells = slices(metric.rollup, predictions=predictions(score, **columns), labels=labels(y))[()]
    return metric.finalise(cells, metric.choice(choice))


# ----- the top of the list -----


@pytest.mark.parametrize("rate", [0.4, 0.02])
def test_average_precision_of_scikit_learn_lies_in_the_ordering_interval(rate):
    rng = np.random.default_rng(1)
    for n in (40, 3000):
        score, y = draws(rng, n, rate)
        y[:2] = (0, 1)
        bins = np.digitize(score, np.quantile(score, np.linspace(0, 1, 60)[1:-1]))
        p, q = np.bincount(bins, y, 60), np.bincount(bins, 1 - y, 60)
        found = average_precision(p, q)
        assert found.worst - 1e-12 <= average_precision_score(y, score) <= found.best + 1e-12
        low, high = average_precision_limits(p, q)
        assert 0 <= low <= found.value <= high <= 1


def test_average_precision_is_scikit_learns_where_every_score_has_its_own_bin():
    score, y = [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]
    found = of("average_precision", score, y)
    assert found.value == pytest.approx(average_precision_score(y, score), abs=1e-12)
    assert found.value == pytest.approx(0.8333333333)


def test_the_first_k_are_k_and_never_k_plus_one():
    """Evidently takes probas.iloc[k] for a number and ceil - 1 for a share: k rows or k + 1."""
    score = [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    y = [1, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    for k in (1, 2, 3, 9, 10):
        found = of("precision_at_k", score, y, (("k", str(k)),))
        assert (found.value, found.numerator, found.denominator) == (sum(y[:k]) / k, sum(y[:k]), k)
        assert of("precision_at_k", score, y, (("k", f"{10 * k}%"),)).value == found.value
        assert of("recall_at_k", score, y, (("k", str(k)),)).value == sum(y[:k]) / 4
        assert of("lift_at_k", score, y, (("k", str(k)),)).value == pytest.approx(sum(y[:k]) / k / 0.4)


def test_ties_at_the_cut_count_by_their_share_and_widen_the_interval():
    found = hits(np.array([0, 2, 1]), np.array([5, 2, 0]), 3)
    assert (found.value, found.worst, found.best) == (2.0, 1.0, 3.0)
    same = of("precision_at_k", [0.5] * 10, [1] * 5 + [0] * 5, (("k", "5"),))
    assert same.value == 0.5
    assert (same.low, same.high) == (0.0, 1.0)


@pytest.mark.parametrize("k", ["0", "-3", "none", "0%", "120%", "5.5"])
def test_a_k_that_names_no_number_is_refused(k):
    with pytest.raises(ValueError, match="write a share such as 10% or a number"):
        first(k, 100)


def test_more_than_there_are_and_no_outcomes_say_why():
    assert (
        "the first 50 are more than the 3"
        in of("precision_at_k", [0.1, 0.2, 0.3], [0, 1, 0], (("k", "50"),)).reason
    )
    for key in ("precision_at_k", "recall_at_k", "lift_at_k", "ece", "average_precision"):
        assert "no outcome has arrived yet" in of(key, [0.1, 0.2], [None, None]).reason
    assert "no positive outcome among 3" in of("recall_at_k", [0.1, 0.2, 0.3], [0, 0, 0]).reason


@pytest.mark.parametrize("bad", [[0.5] * 40, [float("nan")] * 40, [1.7] * 40, [None] * 40])
def test_equal_nan_and_out_of_range_scores_give_a_number_or_a_reason(bad):
    """popmon's light is green on NaN: ours is a reason."""
    y = [0, 1] * 20
    for metric in (m for k, m in ALL.items() if k.startswith("model.") and m.finalise is not None):
        frames = {"predictions": predictions(bad), "labels": labels(y)}
        cells = slices(metric.rollup, **frames)
        if not cells:  # the exact query has no row at all where no score is finite
            continue
        found = metric.finalise(cells[()], metric.choice(()))
        assert found.value is not None or len(found.reason) > 10, metric.key
        assert found.value is None or np.isfinite(found.value)


# ----- calibration error -----


def test_a_perfect_model_shows_a_calibration_error_inside_its_band():
    """The plain figure of a perfect model is 0.054 at n = 200 and 0.011 at 5,000; nobody removes it."""
    rng = np.random.default_rng(2)
    inside, values, lows, plain = 0, [], [], []
    for _ in range(RUNS):
        s = rng.uniform(size=200)
        y = rng.random(200) < s
        tenth = (s * 10).astype(int)
        rows = [np.bincount(tenth, x, 10) for x in (np.ones(200), s, y, s * (1 - s))]
        held = rows[0] > 0
        found = calibration_error(*(r[held] for r in rows))
        inside += found.plain <= found.perfect
        values.append(found.value)
        lows.append(found.low)
        plain.append(found.plain)
    assert abs(inside / RUNS - 0.95) < (0.02 if SOAK else 0.06)
    assert np.mean(plain) > 0.05
    assert np.mean(values) < 0.4 * np.mean(plain)  # not 0: what lies below 0 is cut off
    assert np.mean(np.array(lows) == 0) > 0.9


def test_a_real_calibration_error_is_found_at_its_size():
    rng = np.random.default_rng(3)
    s = rng.uniform(0.05, 0.85, 20_000)
    y = (rng.random(20_000) < s + 0.1).astype(int)
    found = of("ece", list(s), list(y))
    assert found.value == pytest.approx(0.1, abs=0.01)
    assert found.low < 0.1 < found.high
    assert "outside the band of perfect models" in found.warnings


# ----- coverage -----


@pytest.mark.parametrize(("rate", "n"), [(0.5, 400), (0.1, 1000), (0.01, 8000), (0.001, 60_000)])
def test_intervals_cover_the_truth_at_every_base_rate(rate, n):
    """The soak asks 2,000 simulations of each, for 93 to 97 %; see docs/results/model_coverage.md."""
    runs = RUNS if rate > 0.001 or SOAK else 60
    for found in quality(rate, n, runs):
        if found.name in OURS:
            slack = 0.02 if SOAK else 0.07
            assert found.share >= 0.95 - slack, found
            assert found.share <= 0.95 + slack, found


def test_the_error_of_the_auc_has_both_of_delongs_terms():
    """NannyML's has one: at a base rate of a half and 4,000 cases its interval covers 84.5 %."""
    both, one, *_ = quality(0.5, 4000 if SOAK else 1000, RUNS)
    assert both.share > one.share + 0.04
    assert one.share < 0.92


@pytest.mark.parametrize(("rate", "n"), [(0.5, 1500), (0.1, 3000), (0.01, 12_000), (0.001, 60_000)])
def test_the_corrected_hallucination_covers_at_every_base_rate(rate, n):
    corrected, _, raw = hallucination(rate, n, RUNS)
    assert abs(corrected.share - 0.95) <= (0.02 if SOAK else 0.06), corrected
    assert raw.share < 0.2 or rate == 0.5


# ----- delayed outcomes -----


def arrivals(n: int, days: int, rng: np.random.Generator, median: float = 10.0) -> Arrivals:
    on = rng.integers(0, days, n)
    age = np.ceil(median * np.exp(0.5 * rng.standard_normal(n))).astype(int)
    out = on + age >= days
    return Arrivals(on, np.where(out, -1, age), np.ones(n, dtype=np.int64), days)


def test_the_arrival_curve_counts_those_still_out_and_finds_the_true_median():
    rng = np.random.default_rng(5)
    cells = arrivals(4000, 40, rng)
    curve = arrival_curve(cells)
    at = np.searchsorted(curve.time, 10.0)
    assert 1 - curve.survival[at] == pytest.approx(0.45, abs=0.06)
    only_known = np.median(cells.age[cells.age >= 0])
    found = ALL["model.label_delay_median"].finalise(cells, NONE)
    assert only_known * 86_400 < found.value
    assert found.low <= 11 * 86_400 <= found.high + 86_400
    assert 15 <= maturity_days(cells) <= 30


def test_arrivals_are_counted_by_whole_days_in_the_warehouse():
    rows = predictions([0.5] * 4)
    late = labels([1, 0, 1, None]).assign(
        labelled_at=[DAY, DAY + dt.timedelta(days=2.5), DAY - dt.timedelta(days=1)]
    )
    cells = slices(ARRIVALS, predictions=rows, labels=late)[()]
    assert dict(zip(cells.age.tolist(), cells.n.tolist(), strict=True)) == {-1: 1, 0: 2, 2: 1}


def test_no_outcome_at_all_has_no_delay():
    cells = slices(ARRIVALS, predictions=predictions([0.5] * 4), labels=labels([None] * 4))[()]
    assert "no outcome has arrived" in ALL["model.maturity_age"].finalise(cells, Choice()).reason


# ----- estimates without outcomes -----


def test_the_estimate_is_the_isotonic_one_of_scikit_learn_on_raw_rows():
    """Histogram and rows give the same estimate: NannyML's published AUCs to 4.6e-7 on its own data."""
    rng = np.random.default_rng(6)
    s, y = draws(rng, 6000, 0.2)
    known = rng.random(6000) < 0.5
    found = of("auc_estimated", list(s), [int(v) if k else None for v, k in zip(y, known, strict=True)])
    fit = IsotonicRegression(out_of_bounds="clip").fit(s[known], y[known])
    c = fit.predict(s)
    both = roc_auc_score(np.r_[np.ones(6000), np.zeros(6000)], np.r_[s, s], sample_weight=np.r_[c, 1 - c])
    assert found.value == pytest.approx(both, abs=3e-3)
    assert found.low <= roc_auc_score(y, s) <= found.high


def test_estimates_of_precision_and_recall_come_true():
    rng = np.random.default_rng(7)
    s, y = draws(rng, 20_000, 0.1)
    flag = s >= 0.3
    shown = [int(v) if i < 10_000 else None for i, v in enumerate(y)]
    for key, real in (("precision", y[flag].mean()), ("recall", y[flag].sum() / y.sum())):
        found = of(f"{key}_estimated", list(s), shown, threshold=0.3)
        assert found.low <= real <= found.high, key
        assert found.warnings[0].startswith("estimated")


def test_too_few_known_outcomes_teach_nothing():
    found = of("auc_estimated", [0.1, 0.9] * 30, [0, 1] * 30)
    assert "cannot teach" in found.reason
    assert SCORES_OF_ALL_DAYS.key == SCORES.key
    cells = slices(SCORES_OF_ALL_DAYS, predictions=predictions([0.1]), labels=labels([0]))[()]
    assert isinstance(cells, EstimateCells)


# ----- operability -----


def test_latency_quantiles_are_exact_to_their_stated_error():
    rng = np.random.default_rng(8)
    ms = 20 * np.exp(0.6 * rng.standard_normal(5000))
    for name, p in (("median", 0.5), ("p95", 0.95), ("p99", 0.99)):
        exact = np.quantile(ms, p, method="inverted_cdf") / 1000
        found = of(f"latency_{name}", [0.5] * 5000, [0] * 5000, latency_ms=list(ms))
        assert found.value == pytest.approx(exact, rel=ERROR * 1.001)
        ranks = binom.ppf([0.025, 0.975], 5000, p).astype(int)
        order = np.sort(ms) / 1000
        assert found.low <= order[ranks[0] - 1] * 1.001
        assert found.high >= order[ranks[1]] * 0.999
        assert f"exact to {ERROR:.1%}" in found.warnings


def test_cost_of_a_thousand_is_the_mean_with_students_interval():
    rng = np.random.default_rng(9)
    cost = rng.gamma(2, 0.001, 400)
    found = of(
        "cost_per_1000",
        [0.5] * 400,
        [0] * 400,
        cost_amount=list(cost),
        latency_ms=list(rng.uniform(1, 90, 400)),
    )
    reach = 1.96592 * cost.std(ddof=1) / 20
    assert (found.value, found.high) == pytest.approx(
        (cost.mean() * 1000, (cost.mean() + reach) * 1000), rel=1e-4
    )
    assert "no cost is recorded" in of("cost_per_1000", [0.5], [0]).reason
    assert "no latency is recorded" in of("latency_p95", [0.5], [0]).reason


def test_versions_tell_the_cadence_and_the_age():
    at = [DAY + dt.timedelta(days=d) for d in (0, 10, 20, 50, 60)]
    version = ["1", "1", "2", "2", "3"]
    found = of("retraining_cadence", [0.5] * 5, [0] * 5, predicted_at=at, model_version=version)
    assert found.value == 30 * 86_400
    assert "longest 40 days, of 2" in found.warnings
    assert of("release_age", [0.5] * 5, [0] * 5, predicted_at=at, model_version=version).value == 0.0
    assert "needs two" in of("retraining_cadence", [0.5], [0], model_version="1").reason
    assert "names its model_version" in of("release_age", [0.5], [0]).reason


@needs_cases
def test_asah_has_its_average_precision_inside_the_interval():
    with (CASES / "models/aSAH.csv").open() as f:
        rows = list(csv.DictReader(f))
    score, y = [float(r["s100b"]) for r in rows], [int(r["outcome"] == "Poor") for r in rows]
    found = estimate(
        ALL["model.average_precision"],
        predictions=predictions([s / (1 + s) for s in score]),
        labels=labels(y),
    )
    assert found.low <= average_precision_score(y, score) <= found.high
