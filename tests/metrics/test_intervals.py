import json
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from metrics.core.intervals import Moment, bounded_mean, koopman, newcombe, relative, student, welch, wilson
from tests.cases import CASES, needs_cases

PRINTED = 5e-5  # the papers print four decimals
CLOSE = 1e-9


def hand() -> dict:
    return next(c for c in json.loads((CASES / "models/cases.json").read_text()) if c["id"] == "hand")[
        "cases"
    ]


def moment(values: np.ndarray) -> Moment:
    return Moment(len(values), values.mean(), ((values - values.mean()) ** 2).sum())


@st.composite
def rates(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 5000))
    return draw(st.integers(0, n)), n


@needs_cases
def test_wilson_gives_newcombes_published_limits():
    for case in hand()["wilson_newcombe1998"]:
        found = wilson(case["x"], case["n"])
        assert (found.low, found.high) == pytest.approx(case["published"], abs=PRINTED)


@needs_cases
def test_the_difference_gives_newcombes_published_limits():
    for case in hand()["newcombe_difference_1998_method10"]:
        found = newcombe(*case["a"], *case["b"])
        assert (found.low, found.high) == pytest.approx(case["published"], abs=PRINTED)


@given(rates())
def test_wilson_equals_statsmodels(rate):
    found = wilson(*rate)
    assert (found.low, found.high) == pytest.approx(proportion_confint(*rate, method="wilson"), abs=CLOSE)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(rates(), rates())
def test_the_difference_equals_statsmodels(a, b):
    found = newcombe(*a, *b)
    oracle = confint_proportions_2indep(*a, *b, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(oracle, abs=1e-8)
    assert -1 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize(
    ("a", "b"),
    [((36, 40), (16, 80)), ((5, 56), (3, 29)), ((805, 1795), (349, 1488)), ((1, 100000), (7, 90000))],
)
def test_the_ratio_equals_the_score_interval_of_statsmodels(a, b):
    found = koopman(*a, *b)
    oracle = confint_proportions_2indep(*a, *b, method="score", compare="ratio", correction=False)
    assert (found.low, found.high) == pytest.approx(oracle, rel=1e-6)


def test_the_ratio_gives_koopmans_published_limits():
    found = koopman(36, 40, 16, 80)  # the worked example of Koopman 1984
    assert (found.low, found.high) == pytest.approx((2.939, 7.152), abs=5e-3)


@given(rates(), rates().filter(lambda r: r[0] > 0))
def test_the_ratio_holds_its_estimate_for_all_counts(a, b):
    found = koopman(*a, *b)
    assert 0 <= found.low <= found.value <= found.high < math.inf
    assert (found.low == 0) == (a[0] == 0)
    assert found.low < found.high


@given(rates().filter(lambda r: r[0] > 0), rates().filter(lambda r: r[0] > 0))
def test_the_ratio_turns_over_with_its_groups(a, b):
    one, other = koopman(*a, *b), koopman(*b, *a)
    assert (1 / one.high, 1 / one.low) == pytest.approx((other.low, other.high), rel=1e-6)


def test_a_rate_of_nothing_and_a_ratio_to_nothing_are_refused():
    for k, n in ((0, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="rate needs"):
            wilson(k, n)
    with pytest.raises(ValueError, match="reference above 0"):
        koopman(3, 10, 0, 10)


def test_welch_and_student_equal_scipy():
    rng = np.random.default_rng(4)
    a, b = rng.exponential(3, 57), rng.normal(2, 0.4, 411)
    oracle = scipy.stats.ttest_ind(a, b, equal_var=False)
    limits = oracle.confidence_interval()
    found = welch(moment(a), moment(b))
    assert (found.low, found.high, found.p, found.df) == pytest.approx(
        (limits.low, limits.high, oracle.pvalue, oracle.df), rel=CLOSE
    )
    mean = student(moment(a))
    expected = scipy.stats.t.interval(0.95, len(a) - 1, a.mean(), a.std(ddof=1) / math.sqrt(len(a)))
    assert (mean.low, mean.high) == pytest.approx(expected, rel=CLOSE)


def test_a_relative_difference_is_where_fiellers_test_just_rejects():
    rng = np.random.default_rng(5)
    a, b = moment(rng.exponential(3, 900)), moment(rng.exponential(2, 800))
    found = relative(a, b)
    assert found is not None
    t = scipy.stats.t.ppf(0.975, welch(a, b).df)
    for limit in (found.low + 1, found.high + 1):
        gap, variance = a.mean - limit * b.mean, a.variance_of_mean + limit**2 * b.variance_of_mean
        assert abs(gap) / math.sqrt(variance) == pytest.approx(t, rel=1e-9)
    assert found.low < found.value < found.high


def test_a_relative_difference_to_a_mean_that_may_be_zero_has_no_bound():
    assert relative(Moment(50, 3.0, 40.0), Moment(50, 0.1, 40.0)) is None
    assert relative(Moment(50, 3.0, 40.0), Moment(50, -9.0, 40.0)) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_a_bounded_mean_stays_in_its_bounds_and_never_shrinks_to_a_point(values):
    x = np.array(values)
    found = bounded_mean(len(x), x.sum(), (x * x).sum(), 0, 1)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_a_bounded_mean_equals_students_interval_and_equal_values_give_the_rule_of_three():
    x = np.random.default_rng(6).uniform(size=400)
    expected = student(moment(x))
    found = bounded_mean(len(x), x.sum(), (x * x).sum(), 0, 1)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), rel=1e-9
    )
    perfect = bounded_mean(40, 0.0, 0.0, 0, 1)
    assert (perfect.low, perfect.high) == pytest.approx((0, 1 - 0.025 ** (1 / 40)))


@pytest.mark.parametrize("level", [0.02, 0.5])
def test_intervals_cover_the_truth_nineteen_times_in_twenty(level):
    rng = np.random.default_rng(7)
    held = 0
    for k1, k2 in zip(rng.binomial(120, level, 2000), rng.binomial(90, level, 2000), strict=True):
        if k2:
            ratio = koopman(int(k1), 120, int(k2), 90)
            held += ratio.low <= 1 <= ratio.high
        else:
            held += 1
    assert 0.94 <= held / 2000 <= 1
