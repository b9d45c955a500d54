import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from statsmodels.duration.survfunc import CumIncidenceRight

from metrics.core.incidence import aalen_johansen, incidence_at, incidence_band, incidence_quantile
from metrics.core.survival import kaplan_meier
from tests.cases import CASES, needs_cases
from tests.metrics.survival_rows import from_rows, grouped

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifelines import AalenJohansenFitter

CLOSE = 1e-9
ACTIVATED, COMPETING = 0, 1


def curves_of(time, status, causes: int):
    rows = from_rows(time, status, causes)
    return aalen_johansen(rows.time, rows.events, rows.censored)


def golden():
    """The fifteen signals of the worked warehouse that are neither excluded, unlinked nor inverted."""
    time = [0, 240, 600, 600, 1200, 2400, 3600, 3601, 600, 1200, 1800, 50400, 50400, 50400, 54000]
    return curves_of(time, [1] * 8 + [2] * 2 + [0] * 5, 2)


@needs_cases
def test_the_golden_incidences_hold():
    expected = json.loads((CASES / "golden/expected.json").read_text())["activation"]["aalen_johansen"]
    curves = golden()
    for time, row in expected.items():
        activated, competing = (incidence_at(curves, c, float(time)) for c in (ACTIVATED, COMPETING))
        assert activated.value == pytest.approx(row["cif_activated"], abs=5e-7)
        assert competing.value == pytest.approx(row["cif_competing"], abs=5e-7)
        assert activated.at_risk == row["at_risk"]
        assert activated.low < activated.value < activated.high


@needs_cases
def test_competing_risks_equal_r():
    case = next(
        c for c in json.loads((CASES / "activation_cases.json").read_text()) if c["id"] == "cif-competing-r"
    )
    curves, expected = curves_of(case["input"]["time"], case["input"]["status"], 3), case["expected"]
    first = [incidence_at(curves, 0, t).value for t in expected["times_cif1"]]
    assert first == pytest.approx(expected["cif1"], abs=5e-9)
    assert curves.incidence[1, -1] == pytest.approx(expected["cif2_final"], abs=5e-9)
    assert [incidence_at(curves, 2, t).value for t in (6, 7)] == pytest.approx(expected["cif3"], abs=5e-9)


@given(grouped(causes=3))
def test_incidences_and_standard_errors_equal_statsmodels(data):
    time, status = data.rows()
    if set(status) != {0, 1, 2, 3}:
        return
    curves, oracle = aalen_johansen(data.time, data.events, data.censored), CumIncidenceRight(time, status)
    at = np.searchsorted(oracle.times, curves.time)
    for cause in range(3):
        assert curves.incidence[cause] == pytest.approx(oracle.cinc[cause][at], abs=CLOSE)
        assert np.sqrt(curves.variance[cause]) == pytest.approx(oracle.cinc_se[cause][at], abs=1e-7)


def test_the_variance_equals_lifelines_on_distinct_times():
    random = np.random.default_rng(3)
    time, status = random.permutation(60).astype(float) + 1, random.integers(0, 3, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = AalenJohansenFitter().fit(time, status, event_of_interest=2)
    curves = curves_of(time, status, 2)
    assert curves.incidence[1] == pytest.approx(oracle.cumulative_density_.iloc[1:, 0].to_numpy(), abs=CLOSE)
    assert curves.variance[1] == pytest.approx(oracle.variance_.iloc[1:].to_numpy(), abs=CLOSE)


@given(grouped(causes=2, tail=0))
def test_incidences_and_survival_add_up_and_bands_hold_their_curve(data):
    curves = aalen_johansen(data.time, data.events, data.censored)
    assert curves.incidence.sum(axis=0) + curves.survival == pytest.approx(
        np.ones(curves.time.size), abs=CLOSE
    )
    assert curves.survival == pytest.approx(kaplan_meier(*data.one_cause).survival)
    for cause in range(2):
        found = incidence_band(curves, cause)
        assert np.isfinite([found.low, found.high]).all()
        assert (found.low <= curves.incidence[cause] + CLOSE).all()
        assert (curves.incidence[cause] <= found.high + CLOSE).all()
        assert (found.low >= 0).all()
        assert (found.high <= 1).all()


@given(grouped(causes=2))
def test_one_minus_kaplan_meier_never_understates_the_incidence(data):
    curves = aalen_johansen(data.time, data.events, data.censored)
    alone = kaplan_meier(data.time, data.events[0], data.censored + data.events[1])
    assert (1 - alone.survival >= curves.incidence[0] - CLOSE).all()


def test_without_censoring_the_variance_is_that_of_a_share():
    curves = curves_of([1, 1, 2, 3, 3, 3, 4, 4], [1, 2, 1, 1, 2, 2, 1, 2], 2)
    f = curves.incidence
    assert curves.variance == pytest.approx(f * (1 - f) / 8, abs=CLOSE)


def test_delayed_entry_shrinks_the_risk_set():
    time, nothing = np.array([1.0, 1.5, 2.0, 3.0]), np.zeros(4, dtype=int)
    events = np.array([[1, 0, 0, 1], [0, 0, 1, 0]])
    curves = aalen_johansen(time, events, nothing, np.array([0, 1, 0, 0]))
    assert curves.at_risk.tolist() == [2, 2, 1]
    assert curves.incidence[0] == pytest.approx([0.5, 0.5, 0.75])


def test_a_cause_never_seen_is_zero_with_the_rule_of_three():
    curves = curves_of([1, 2, 3, 4], [1, 0, 0, 0], 2)
    at = incidence_at(curves, 1, 2.5)
    assert (at.value, at.low, at.se, at.at_risk) == (0.0, 0.0, None, 2)
    assert at.high == pytest.approx(1 - 0.025**0.5)
    assert incidence_quantile(curves, 1, 0.5).value is None
    assert incidence_at(curves, 1, 4.1) is None


def test_a_cause_that_takes_everyone_at_once_is_certain_up_to_the_count():
    curves = aalen_johansen(np.array([5.0]), np.array([[1000], [0]]), np.array([0]))
    at = incidence_at(curves, 0, 9)
    assert (at.value, at.high, at.se) == (1.0, 1.0, None)
    assert 0.99 < at.low < 1


def test_nothing_observed_gives_none():
    empty = aalen_johansen(np.zeros(0), np.zeros((2, 0), dtype=int), np.zeros(0, dtype=int))
    assert (empty.n, incidence_at(empty, 0, 1)) == (0, None)
    assert incidence_quantile(empty, 0, 0.5).value is None


def test_a_quantile_that_competing_causes_forbid_is_not_reached():
    found = incidence_quantile(golden(), ACTIVATED, 0.5)
    assert found.value == 3601
    assert found.low < 3601
    assert found.high is None
    assert incidence_quantile(golden(), COMPETING, 0.5).value is None


def test_the_incidence_interval_covers_in_93_to_97_percent():
    random, hits, runs = np.random.default_rng(4), 0, 2000
    truth = 2 / 3 * (1 - np.exp(-1.5))
    for _ in range(runs):
        first, second, stop = (random.exponential(m, 150) for m in (1.0, 2.0, 3.0))
        time = np.minimum(np.minimum(first, second), stop)
        status = np.select([time == first, time == second], [1, 2], 0)
        at = incidence_at(curves_of(time, status, 2), 0, 1.0)
        hits += at.low <= truth <= at.high
    assert 0.93 < hits / runs < 0.97
