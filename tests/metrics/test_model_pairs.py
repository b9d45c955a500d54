import csv
import json

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from metrics import ALL
from metrics._model_pairs import PAIRS
from metrics._model_rollups import SCORES
from metrics.core.delong import Paired, independent, paired
from metrics.core.discrimination import rank
from tests.cases import CASES, needs_cases
from tests.metrics.rows import NONE, labels, predictions, slices


def by_pairs(a, b, y) -> tuple[float, float]:
    """Difference and variance the slow way: every placement of both models."""
    a, b, y = np.asarray(a, float), np.asarray(b, float), np.asarray(y)

    def wins(s):
        pos, neg = s[y == 1], s[y == 0]
        return (pos[:, None] > neg) + 0.5 * (pos[:, None] == neg)

    gap = wins(b) - wins(a)
    m, k = gap.shape
    return gap.mean(), gap.mean(1).var(ddof=1) / m + gap.mean(0).var(ddof=1) / k


def cases_of(a, b, y) -> Paired:
    codes = [np.unique(s, return_inverse=True)[1] for s in (a, b)]
    return Paired(codes[0], codes[1], np.asarray(y), np.ones(len(y), dtype=np.int64))


def test_the_paired_difference_equals_the_slow_form():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 300)
    base = rng.normal(size=300) + y
    a, b = np.round(base + rng.normal(size=300), 1), np.round(base + 0.5 * rng.normal(size=300), 1)
    value, variance = by_pairs(a, b, y)
    found = paired(cases_of(a, b, y))
    h = rank(*(np.bincount(np.unique(a, return_inverse=True)[1], v) for v in (y, 1 - y))).bound
    h += rank(*(np.bincount(np.unique(b, return_inverse=True)[1], v) for v in (y, 1 - y))).bound
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.high == pytest.approx(value + 1.959964 * np.sqrt(variance) + h, abs=1e-6)


@needs_cases
def test_asah_gives_procs_paired_test():
    case = next(c for c in json.loads((CASES / "models/cases.json").read_text()) if c["id"] == "aSAH_delong")
    with (CASES / "models/aSAH.csv").open() as f:
        rows = list(csv.DictReader(f))
    y = np.array([int(r["outcome"] == "Poor") for r in rows])
    scores = {k: np.array([float(r[k]) for r in rows]) for k in ("wfns", "ndka", "s100b")}
    for names, (z, p) in case["published"]["paired_delong_z_p"].items():
        first, second = names.split(" vs ")
        found = paired(cases_of(scores[second], scores[first], y))
        value, variance = by_pairs(scores[second], scores[first], y)
        assert found.value == pytest.approx(value, abs=1e-12)
        h = sum(rank(*(np.bincount(np.unique(scores[k], return_inverse=True)[1], v) for v in (y, 1 - y))).bound
                for k in (first, second))  # fmt: skip
        assert (found.high - h - found.value) / norm.ppf(0.975) == pytest.approx(abs(value / z), rel=1e-9)
        assert 2 * norm.sf(abs(value) / np.sqrt(variance)) == pytest.approx(p, rel=1e-9)


def test_a_shadow_run_in_the_warehouse_gives_the_difference_of_its_raw_rows():
    rng = np.random.default_rng(2)
    n = 400
    y = rng.integers(0, 2, n)
    base = rng.normal(size=n) + y
    a, b = expit(base + rng.normal(size=n)), expit(base + 0.3 * rng.normal(size=n))
    rows = predictions(
        [*a, *b], entity_id=[f"e{i}" for i in range(n)] * 2, model_version=["1"] * n + ["2"] * n
    )
    found = slices(PAIRS, by=("champion", "challenger"), predictions=rows, labels=labels([*y, *([None] * n)]))
    assert set(found) == {("1", "2"), ("2", "1")}
    one, other = (
        ALL["model.auc_paired_difference"].finalise(found[k], NONE) for k in (("1", "2"), ("2", "1"))
    )
    value, _ = by_pairs(a, b, y)
    assert one.value == pytest.approx(value, abs=5e-4)
    assert one.value == pytest.approx(-other.value)
    assert one.n == n
    assert one.low > 0


def test_an_entity_scored_twice_a_day_is_paired_in_order_and_never_multiplied():
    rows = predictions([0.1, 0.2, 0.3, 0.4], entity_id=["e"] * 4, model_version=["1", "1", "2", "2"])
    found = slices(PAIRS, by=("champion",), predictions=rows, labels=labels([0, 1, 0, 1]))
    assert found[("1",)].n.sum() == 2


def test_without_a_shadow_run_the_reason_is_told():
    empty = Paired(*(np.empty(0, dtype=np.int64) for _ in range(4)))
    assert "no case was scored by both" in paired(empty).reason
    one = Paired(np.array([1]), np.array([2]), np.array([1]), np.array([9]))
    assert "two of each are needed" in paired(one).reason


def test_two_versions_on_their_own_cases_are_compared_by_independent_delong():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 900)
    s = expit(rng.normal(size=900) + y * np.repeat([0.5, 2.0, 1.0], 300))
    rows = predictions(list(s), model_version=["1"] * 300 + ["2"] * 300 + ["3"] * 300)
    cells = slices(SCORES, by=("model_version",), predictions=rows, labels=labels(list(y)))
    metric = ALL["model.auc_version_difference"]
    found = metric.contrast.compare(cells[("2",)], cells[("1",)], NONE)
    parts = [rank(*(np.bincount(np.unique(s[i], return_inverse=True)[1], v) for v in (y[i], 1 - y[i])))
             for i in (slice(300, 600), slice(0, 300))]  # fmt: skip
    exact = independent(*parts)
    assert found.value == pytest.approx(exact.value, abs=1e-3)
    assert found.low <= exact.low + 1e-3
    assert exact.low > 0


def test_coverage_of_the_paired_difference_is_near_95_per_cent():
    rng = np.random.default_rng(4)
    runs, inside = 150, 0
    true = norm.cdf(1.5 / np.sqrt(2)) - norm.cdf(1.0 / np.sqrt(2))
    for _ in range(runs):
        y = (np.arange(240) < 80).astype(int)
        common = rng.normal(size=240)
        a = 0.7 * common + np.sqrt(0.51) * rng.normal(size=240) + 1.0 * y
        b = 0.7 * common + np.sqrt(0.51) * rng.normal(size=240) + 1.5 * y
        found = paired(cases_of(a, b, y))
        inside += found.low <= true <= found.high
    assert inside / runs > 0.9
