import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from metrics.core.survival import Transform, band, kaplan_meier, quantile, survival_at
from tests.cases import CASES, needs_cases
from tests.metrics.survival_rows import from_rows, grouped

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifelines import KaplanMeierFitter
    from lifelines.utils import qth_survival_time

CLOSE = 1e-9
GOLDEN_TIMES = [0, 240, 600, 600, 1200, 2400, 3600, 3601]
GOLDEN_CENSORED = [600, 1200, 1800, 50400, 50400, 50400, 54000]  # suppressed, converted, open, missed


def case(name: str) -> dict:
    return next(c for c in json.loads((CASES / "activation_cases.json").read_text()) if c["id"] == name)


def curve_of(time, status):
    return kaplan_meier(*from_rows(time, status).one_cause)


def lung(*sexes: int):
    rows = pd.read_csv(CASES / "survival/lung.csv")
    rows = rows[rows.sex.isin(sexes)]
    return curve_of(rows.time, rows.status)


def limits(curve, transform: Transform) -> list:
    found = quantile(curve, 0.5, transform)
    return [found.low, found.high]


@needs_cases
@pytest.mark.parametrize(
    ("name", "sexes", "loglog"),
    [
        ("km-lung-sex1", [1], [210, 306]),
        ("km-lung-sex2", [2], [345, 524]),
        ("km-lung-all", [1, 2], [284, 361]),
    ],
)
def test_the_lung_medians_and_both_intervals_are_the_published_ones(name, sexes, loglog):
    expected, curve = case(name)["expected"], lung(*sexes)
    assert (curve.n, curve.events.sum()) == (expected["n"], expected["events"])
    assert quantile(curve, 0.5).value == expected["median"]
    assert limits(curve, Transform.LOG) == expected["ci95_log"]
    assert limits(curve, Transform.LOG_LOG) == loglog == expected.get("ci95_loglog", loglog)
    assert quantile(curve, 0.5).method == "Kaplan-Meier, log-log"


@needs_cases
def test_the_regimes_of_dd_last_as_long_as_published():
    expected, rows = case("km-dd")["expected"], pd.read_csv(CASES / "survival/dd.csv")
    curve = curve_of(rows.duration, rows.observed)
    assert (curve.n, quantile(curve, 0.5).value) == (expected["n"], expected["median"])
    for name, kind in (("Democracy", "median_democracy"), ("Non-democracy", "median_non_democracy")):
        some = rows[rows.democracy == name]
        assert quantile(curve_of(some.duration, some.observed), 0.5).value == expected[kind]


@needs_cases
def test_the_tiny_curve_equals_r():
    given_rows, expected = case("km-tiny-r")["input"], case("km-tiny-r")["expected"]
    curve = curve_of(given_rows["time"], given_rows["event"])
    assert curve.time.tolist() == expected["times"]
    assert curve.at_risk.tolist() == expected["n_risk"]
    assert curve.survival == pytest.approx(expected["surv"], abs=1e-7)
    assert np.sqrt(curve.variance)[:3] == pytest.approx(expected["se"][:3], abs=1e-6)
    assert survival_at(curve, 5).se is None  # R prints NA


@needs_cases
def test_the_golden_curve_holds_with_competing_events_as_censorings():
    expected = json.loads((CASES / "golden/expected.json").read_text())["activation"]
    naive = expected["km_naive_competing_as_censored"]
    curve = curve_of(GOLDEN_TIMES + GOLDEN_CENSORED, [1] * 8 + [0] * 7)
    assert (curve.n, curve.events.sum()) == (naive["n"], naive["events"])
    for time, share in naive["S"].items():
        assert survival_at(curve, float(time)).value == pytest.approx(share, abs=5e-7)
    assert quantile(curve, 0.5).value == naive["median"]
    assert expected["latencies_sorted_seconds"] == GOLDEN_TIMES


@needs_cases
def test_the_batch_lattice_has_its_closed_form_quantiles():
    setting, expected = case("lattice-batch")["input"], case("lattice-batch")["expected"]
    wait = np.arange(setting["n"]) + 0.5 + setting["c"]
    curve = curve_of(wait, np.ones(setting["n"], dtype=int))
    assert (quantile(curve, 0.5).value, quantile(curve, 0.9).value) == (expected["median"], expected["p90"])
    share = survival_at(curve, setting["W"]).complement()
    assert share.value == pytest.approx(expected["share"], abs=1e-12)
    assert share.low < share.value < share.high


@needs_cases
def test_a_horizon_inside_a_cycle_biases_the_median_as_the_theory_says():
    setting, expected = case("lattice-horizon-bias")["input"], case("lattice-horizon-bias")["expected"]
    ticks = np.arange(setting["B"])
    counts, last = np.full(ticks.size, setting["cohorts"] - 1), np.ones(ticks.size, dtype=int)
    nothing = np.zeros_like(counts)
    time = np.concatenate([ticks + 0.5, ticks + 0.25])
    biased = kaplan_meier(time, np.concatenate([counts, nothing]), np.concatenate([nothing, last]))
    assert quantile(biased, 0.5).value == pytest.approx(expected["km_median_biased"], abs=0.5)
    whole = kaplan_meier(ticks + 0.5, counts, nothing)
    assert quantile(whole, 0.5).value == expected["truth_median"]


@needs_cases
def test_the_exponential_median_is_covered_under_censoring():
    setting, truth = case("exp-censor")["input"], case("exp-censor")["expected"]["truth_median"]
    random = np.random.default_rng(setting["seed"])
    wait, stop = random.exponential(3600, setting["n"]), random.uniform(0, 7200, setting["n"])
    found = quantile(curve_of(np.minimum(wait, stop), (wait <= stop).astype(int)), 0.5)
    assert found.low <= truth <= found.high
    assert found.value == pytest.approx(truth, rel=0.05)


@given(grouped())
def test_the_curve_and_its_variance_equal_statsmodels(data):
    curve, (time, status) = kaplan_meier(*data.one_cause), data.rows()
    if not status.any():
        assert (curve.survival == 1).all()
        return
    oracle = SurvfuncRight(time, status)
    steps = curve.events > 0
    assert curve.time[steps] == pytest.approx(oracle.surv_times)
    assert curve.at_risk[steps] == pytest.approx(oracle.n_risk)
    assert curve.survival[steps] == pytest.approx(oracle.surv_prob, abs=CLOSE)
    assert np.sqrt(curve.variance)[steps] == pytest.approx(oracle.surv_prob_se, abs=CLOSE)


@given(grouped(), st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_the_log_log_band_and_quantiles_equal_lifelines(data, p):
    curve, (time, status) = kaplan_meier(*data.one_cause), data.rows()
    if not status.any():
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = KaplanMeierFitter().fit(time, status)
    columns = oracle.confidence_interval_survival_function_.loc[curve.time].to_numpy().T
    inside = curve.survival < 1
    found = band(curve)
    assert found.low[inside] == pytest.approx(columns[0][inside], abs=CLOSE)
    assert found.high[inside] == pytest.approx(columns[1][inside], abs=CLOSE)
    if abs(np.concatenate([curve.survival, *columns]) - (1 - p)).min() < CLOSE:
        return  # lifelines decides exact ties by rounding
    crossing = quantile(curve, p)
    lines = [oracle.survival_function_, *(oracle.confidence_interval_.iloc[:, [i]] for i in (0, 1))]
    times = [qth_survival_time(1 - p, line) for line in lines]
    assert [crossing.value, crossing.low, crossing.high] == [t if t < math.inf else None for t in times]


@given(grouped(), st.data())
def test_delayed_entry_equals_lifelines(data, draw):
    time, status = data.rows()
    late = np.array(draw.draw(st.lists(st.booleans(), min_size=time.size, max_size=time.size))) & (time >= 2)
    entry = np.where(late, np.floor(time / 2) + 0.5, 0.0)  # never at a time of leaving
    rows = from_rows(np.concatenate([time, entry[late]]), np.concatenate([status, np.zeros(late.sum())]))
    censored = np.concatenate([(status == 0).astype(int), np.zeros(late.sum(), dtype=int)])
    entered = np.concatenate([np.zeros(time.size, dtype=int), np.ones(late.sum(), dtype=int)])
    curve = kaplan_meier(rows.time, rows.events[0], censored, entered)
    at_risk = [((time >= t) & ((entry < t) | ~late)).sum() for t in curve.time]
    assert curve.at_risk.tolist() == at_risk
    if not status.any() or not late.any() or (curve.survival == 0).any() or curve.time[0] == 0:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = KaplanMeierFitter().fit(time, status, entry=np.where(late, entry, -1.0))
    assert curve.survival == pytest.approx(
        oracle.survival_function_at_times(curve.time).to_numpy(), abs=CLOSE
    )


@given(grouped(tail=0), st.randoms())
def test_order_grouping_and_empty_groups_do_not_matter(data, random):
    order = random.sample(range(data.time.size), data.time.size)
    time, events, censored = data.one_cause
    one, other = (
        kaplan_meier(time, events, censored),
        kaplan_meier(time[order], events[order], censored[order]),
    )
    split = kaplan_meier(np.tile(time, 2), np.r_[events, 0 * events], np.r_[0 * censored, censored])
    for curve in (other, split):
        assert curve.survival.tolist() == one.survival.tolist()
        assert curve.at_risk.tolist() == one.at_risk.tolist()
    for transform in Transform:
        found = band(one, transform)
        assert (found.low >= 0).all()
        assert (found.low <= one.survival).all()
        assert (one.survival <= found.high).all()
        assert (found.high <= 1).all()


def test_counts_beyond_double_precision_stay_exact():
    big = 2**53 + 1
    curve = kaplan_meier(np.array([1.0, 2.0]), np.array([big, 1]), np.array([0, big]))
    assert curve.at_risk.tolist() == [2 * big + 1, big + 1]
    assert survival_at(curve, 1).value == pytest.approx(0.5)
    assert quantile(curve, 0.4).value == 1.0


def test_nothing_observed_is_none_everywhere():
    for time, events, censored in (([], [], []), ([5], [0], [0])):
        curve = kaplan_meier(
            np.array(time, dtype=float), np.array(events, dtype=int), np.array(censored, dtype=int)
        )
        assert (curve.n, curve.time.size) == (0, 0)
        assert survival_at(curve, 0) is None
        found = quantile(curve, 0.5)
        assert (found.value, found.low, found.high) == (None, None, None)


def test_all_censored_is_not_reached_but_bounded():
    curve = curve_of([10, 20, 30], [0, 0, 0])
    assert quantile(curve, 0.5).value is None
    at = survival_at(curve, 15)
    assert (at.value, at.high, at.at_risk, at.se) == (1.0, 1.0, 2, None)
    assert at.low == pytest.approx(math.sqrt(0.025))
    assert survival_at(curve, 31) is None  # nobody was followed so far


def test_a_single_person_gives_a_value_and_no_upper_limit():
    found = quantile(curve_of([7], [1]), 0.5)
    assert (found.value, found.low, found.high) == (7.0, 7.0, None)
    at = survival_at(curve_of([7], [1]), 100)
    assert (at.value, at.low, at.se) == (0.0, 0.0, None)
    assert at.high == pytest.approx(0.975)


def test_a_crowd_that_leaves_at_one_time_has_a_tight_interval_there():
    crowd = kaplan_meier(np.array([5.0]), np.array([1_000_000]), np.array([0]))
    found = quantile(crowd, 0.5)
    assert (found.value, found.low, found.high) == (5.0, 5.0, 5.0)
    assert survival_at(crowd, 5).high < 1e-5


def test_five_persons_do_not_bound_a_median_but_the_low_limit_exists():
    found = quantile(curve_of([1, 2, 3, 4, 5], [1] * 5), 0.5)
    assert (found.value, found.low, found.high) == (3.0, 1.0, None)


def test_events_at_time_zero_count_and_precede_censorings_there():
    curve = curve_of([0, 0, 4], [1, 0, 1])
    assert curve.at_risk.tolist() == [3, 1]
    assert survival_at(curve, 0).value == pytest.approx(2 / 3)


def test_a_curve_that_reaches_the_level_exactly_has_its_quantile_there():
    seven = curve_of(range(1, 11), [1] * 10)
    assert [quantile(seven, p).value for p in (0.1, 0.3, 0.5, 0.7)] == [1, 3, 5, 7]


def test_a_risk_set_that_empties_before_late_entries_is_flagged():
    curve = kaplan_meier(
        np.array([1.0, 2.0, 3.0]), np.array([1, 0, 1]), np.zeros(3, dtype=int), np.array([0, 1, 0])
    )
    assert curve.emptied_early
    assert curve.survival.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("time", "events", "entered", "words"),
    [
        ([-1.0], [1], [0], "time -1.0 must be finite"),
        ([math.nan], [1], [0], "must be finite"),
        ([1.0], [-1], [0], "integers >= 0"),
        ([1.0, 2.0], [1, 0], [0, 1], "more persons leave"),
    ],
)
def test_what_cannot_be_is_refused_in_words(time, events, entered, words):
    with pytest.raises(ValueError, match=words):
        kaplan_meier(np.array(time), np.array(events), np.zeros(len(time), dtype=int), np.array(entered))


def test_a_quantile_outside_0_and_1_is_refused():
    with pytest.raises(ValueError, match="0 < p < 1"):
        quantile(curve_of([1], [1]), 1.0)
