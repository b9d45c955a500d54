import functools
import json
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import ALL
from metrics._value_arms import ARMS, SHAPES, Arm
from metrics.core.intervals import Moment, newcombe
from metrics.core.metric import Estimate
from metrics.core.shapes import merge
from tests.cases import CASES, needs_cases
from tests.metrics.rows import DAY, NONE, slices

EFFECTS = [k for k, m in ALL.items() if k.startswith("value.") and m.contrast]


def units(arm, outcome, **columns) -> pd.DataFrame:
    frame = {
        "experiment_id": "x",
        "unit_id": [str(i) for i in range(len(arm))],
        "arm": arm,
        "assigned_at": DAY,
    }
    return pd.DataFrame({**frame, "outcome": outcome, **columns}, dtype=object)


def arms(arm, outcome, **columns) -> dict[str, Arm]:
    found = slices(ARMS, by=("arm",), experiment_units=units(arm, outcome, **columns))
    return {k[0]: v for k, v in found.items()}


def effect(name: str, found: dict[str, Arm], treated: str = "treatment", **chosen: str) -> Estimate:
    metric = ALL[f"value.{name}"]
    return metric.contrast.compare(found[treated], found["control"], metric.choice(tuple(chosen.items())))


def arm(values, units_: int | None = None, exposed: int = 0) -> Arm:
    x = np.asarray(values, dtype=float)
    moment = Moment(len(x), x.mean(), ((x - x.mean()) ** 2).sum()) if len(x) else Moment(0, 0.0, 0.0)
    return Arm(units_ or len(x), int((x > 0).sum()), exposed, moment)


@functools.cache
def hillstrom(outcome: str) -> dict[str, Arm]:
    rows = pd.read_csv(CASES / "attribution/hillstrom.csv.gz")
    names = {"No E-Mail": "control", "Mens E-Mail": "treatment", "Womens E-Mail": "womens"}
    return arms(list(rows.segment.map(names)), [float(v) for v in rows[outcome]])


@needs_cases
@pytest.mark.parametrize(
    ("outcome", "treated", "value"),
    [
        ("visit", "treatment", 0.07658956), ("visit", "womens", 0.04523311),
        ("conversion", "treatment", 0.00680501), ("conversion", "womens", 0.00311106),
        ("spend", "treatment", 0.76982716),
    ],
)  # fmt: skip
def test_hillstroms_published_lifts(outcome, treated, value):
    assert effect("mean_difference", hillstrom(outcome), treated).value == pytest.approx(value, abs=6e-9)


@needs_cases
def test_hillstroms_spend_has_its_published_interval():
    found = effect("mean_difference", hillstrom("spend"))
    assert found.value == pytest.approx(0.7698272, abs=1e-7)
    assert (found.low, found.high) == pytest.approx((0.48514, 1.05451), abs=1e-4)
    assert found.n == 21307 + 21306
    assert found.warnings == ()
    assert effect("srm_p_value", hillstrom("spend")).value > 0.9


@needs_cases
def test_the_sufficient_statistics_give_the_same_moments():
    stats = json.loads((CASES / "attribution/hillstrom_sufficient_stats.json").read_text())
    for name, key in (("treatment", "Mens E-Mail"), ("control", "No E-Mail"), ("womens", "Womens E-Mail")):
        found, given_ = hillstrom("spend")[name], stats[key]
        n, total, squares = given_["n"], given_["spend"]["sum"], given_["spend"]["sum_squares"]
        assert (found.units, found.measured) == (n, n)
        assert found.outcome.mean == pytest.approx(total / n, rel=1e-12)
        assert found.outcome.m2 == pytest.approx(squares - total**2 / n, rel=1e-12)
        assert hillstrom("visit")[name].responders == given_["visit"]["sum"]


@needs_cases
def test_for_a_yes_or_no_outcome_both_differences_agree():
    found = effect("responder_difference", hillstrom("visit"))
    assert found.value == pytest.approx(effect("mean_difference", hillstrom("visit")).value, abs=1e-15)
    expected = newcombe(3894, 21307, 2262, 21306)
    assert (found.low, found.high) == (expected.low, expected.high)


@settings(max_examples=25)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40),
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40),
    st.sampled_from([0.0, 1e9]),
)
def test_the_difference_equals_scipys_welch_test_from_the_raw_rows(a, b, offset):
    a, b = [offset + round(v, 2) for v in a], [offset + round(v, 2) for v in b]
    found = arms(["treatment"] * len(a) + ["control"] * len(b), a + b)
    assert found["control"].outcome.m2 == pytest.approx(np.var(b) * len(b), rel=1e-6, abs=1e-3)
    result = effect("mean_difference", found)
    if np.ptp(a) < 0.01 or np.ptp(b) < 0.01:
        return  # scipy has no answer where an arm has no spread
    limits = scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert result.value == pytest.approx(np.mean(a) - np.mean(b), rel=1e-6, abs=1e-5)
    assert (result.low, result.high) == pytest.approx((limits.low, limits.high), rel=1e-5, abs=1e-3)
    assert result.low <= result.value <= result.high


def test_units_without_an_outcome_are_counted_but_not_averaged():
    names, outcome = ["treatment"] * 4 + ["control"] * 4, [3.0, 5.0, None, float("nan"), 1.0, 2.0, 3.0, None]
    found = arms(names, outcome)
    assert (found["treatment"].units, found["treatment"].measured) == (4, 2)
    result = effect("mean_difference", found)
    assert (result.value, result.n) == (2.0, 5)
    assert result.warnings == ("3 of 8 units have no outcome and are left out",)
    assert ALL["value.units"].finalise(found["treatment"], NONE).value == 4
    mean = ALL["value.arm_mean"].finalise(found["treatment"], NONE)
    assert (mean.value, mean.n, mean.numerator) == (4.0, 2, 8.0)
    assert mean.warnings == ("2 of 4 units have no outcome and are left out",)


def test_a_broken_split_is_said_with_every_difference():
    rng = np.random.default_rng(12)
    found = {"treatment": arm(rng.normal(5, 1, 600)), "control": arm(rng.normal(4, 1, 400))}
    for name in ("mean_difference", "relative_difference", "responder_difference"):
        warning = effect(name, found).warnings[0]
        assert warning.startswith("the split 60.0:40.0 is not the registered 50:50 (p = 3e-10)")
        assert effect(name, found, expected_split="0.6").warnings == ()
    assert effect("srm_p_value", found).value == pytest.approx(
        scipy.stats.chisquare([600, 400]).pvalue, rel=1e-9
    )
    other = scipy.stats.chisquare([600, 400], [550, 450]).pvalue
    assert effect("srm_p_value", found, expected_split="0.55").value == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize("text", ["half", "0", "1", "nan", "-0.5", "50"])
def test_a_split_that_is_no_share_is_refused(text):
    found = {"treatment": arm([1, 2, 3]), "control": arm([1, 2, 4])}
    for key in EFFECTS:
        with pytest.raises(ValueError, match="between 0 and 1"):
            effect(key.split(".")[1], found, expected_split=text)


@pytest.mark.parametrize(
    ("treated", "control", "name", "why"),
    [
        ([1.0], [1.0, 2.0], "mean_difference", "the treated arm has 1 units with an outcome"),
        ([1.0, 2.0], [], "mean_difference", "the comparison has 0 units with an outcome"),
        ([0.0] * 5, [0.0] * 5, "mean_difference", "no spread"),
        ([1.0, 2.0], [-3.0, -1.0], "relative_difference", "not above 0"),
        ([1.0, 2.0], [-9.0, 10.0], "relative_difference", "cannot be told from 0"),
        ([], [1.0, 0.0], "responder_difference", "no unit with an outcome"),
    ],
)
def test_a_difference_that_does_not_exist_says_why(treated, control, name, why):
    found = effect(name, {"treatment": arm(treated, 5), "control": arm(control, 5)})
    assert found.value is None
    assert why in found.reason


def test_a_mean_of_equal_outcomes_has_no_interval_and_says_so():
    for values in ([0.0] * 40, [1e9 + 0.1] * 40):
        found = arms(["control"] * 40, values)["control"]
        result = ALL["value.arm_mean"].finalise(found, NONE)
        assert result.value is None
        assert result.reason.startswith("all 40 outcomes are")


def test_a_relative_difference_is_the_difference_over_the_comparison():
    rng = np.random.default_rng(13)
    found = {"treatment": arm(rng.exponential(11, 3000)), "control": arm(rng.exponential(10, 3000))}
    result, mean = effect("relative_difference", found), effect("mean_difference", found)
    assert result.value == pytest.approx(mean.value / found["control"].outcome.mean)
    assert (result.low > 0) == (mean.low > 0)
    assert result.denominator == pytest.approx(found["control"].outcome.mean)


def test_a_relative_interval_covers_the_truth():
    rng = np.random.default_rng(14)
    held = 0
    for _ in range(800):
        found = {"treatment": arm(rng.exponential(1.3, 150)), "control": arm(rng.exponential(1.0, 150))}
        result = effect("relative_difference", found)
        held += result.low <= 0.3 <= result.high
    assert 0.93 <= held / 800 <= 0.97


def test_exposure_counts_units_that_met_the_treatment():
    found = arms(["treatment"] * 4, [1.0, 2.0, 3.0, 4.0], exposed_at=[DAY, None, DAY, DAY])["treatment"]
    result = ALL["value.exposed_share"].finalise(found, NONE)
    assert (result.value, result.numerator, result.denominator) == (0.75, 3, 4)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e4, 1e4)), min_size=1, max_size=50))
def test_merging_strata_gives_the_moments_of_the_whole(rows):
    strata, outcome = [str(s) for s, _ in rows], [1e9 + round(v, 2) for _, v in rows]
    frame = units(["control"] * len(rows), outcome, stratum=strata)
    whole = slices(ARMS, experiment_units=frame)[()]
    pieces = list(slices(ARMS, by=("stratum",), experiment_units=frame).values())[::-1]
    columns = {
        "units": np.array([p.units for p in pieces]),
        "responders": np.array([p.responders for p in pieces]),
        "exposed": np.array([p.exposed for p in pieces]),
        "outcome_n": np.array([p.outcome.n for p in pieces]),
        "outcome_mean": np.array([p.outcome.mean for p in pieces]),
        "outcome_m2": np.array([p.outcome.m2 for p in pieces]),
    }
    merged = Arm.of(merge(SHAPES, columns, np.zeros(len(pieces), dtype=np.int64), 1))
    assert (merged.units, merged.responders, merged.measured) == (
        whole.units,
        whole.responders,
        whole.measured,
    )
    assert merged.outcome.mean == pytest.approx(np.mean(outcome), rel=1e-14)
    assert merged.outcome.m2 == pytest.approx(whole.outcome.m2, rel=1e-6, abs=1e-3)
    assert merged.outcome.m2 == pytest.approx(np.var(outcome) * len(outcome), rel=1e-6, abs=1e-3)


@given(
    st.lists(st.floats(-1e5, 1e5), max_size=30),
    st.lists(st.floats(-1e5, 1e5), max_size=30),
    st.integers(1, 40),
)
def test_an_effect_is_in_its_interval_or_has_a_reason(a, b, more):
    found = {"treatment": arm(a, len(a) + more), "control": arm(b, len(b) + more)}
    for key in EFFECTS:
        result = effect(key.split(".")[1], found)
        assert result.value is not None or result.reason
        if result.low is not None:
            assert result.low <= result.value <= result.high
            assert math.isfinite(result.high - result.low)
