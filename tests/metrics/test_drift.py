import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, ks_2samp, wasserstein_distance
from statsmodels.stats.multitest import multipletests

from metrics import drift
from metrics._drift_cells import VALUES
from metrics._drift_edges import edges_of, halves
from metrics.core.metric import Choice, Estimate
from metrics.core.shift import adjusted, cusum, daily_scores, flagged, psi
from metrics.drift import METRICS, contributions, shift_of
from tests.cases import SOAK
from tests.metrics.rows import predictions, slices

ALL = {m.key.removeprefix("drift."): m for m in METRICS}
FIRST = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
DAYS = 40  # the reference and twelve more


def frame(then, now, **columns) -> pd.DataFrame:
    """Values of `feat_x`: `then` spread over the first 28 days, `now` over the twelve after them."""
    n = len(then) + len(now)
    day = np.concatenate([np.arange(len(then)) % 28, 28 + np.arange(len(now)) % (DAYS - 28)])
    at = [FIRST + dt.timedelta(days=int(d)) for d in day]
    values = [None if v is None else str(v) for v in (*then, *now)]
    return predictions([0.5] * n, feat_x=values, **{"predicted_at": at, **columns})


def figures(rows: pd.DataFrame, feature: str = "feat_x", **settings: str) -> dict[str, Estimate]:
    cells = slices(VALUES, by=("feature",), predictions=rows)[(feature,)]
    return {
        k: m.finalise(cells, m.choice(tuple(settings.items()) if m.settings else ())) for k, m in ALL.items()
    }


def shift(rows: pd.DataFrame, feature: str = "feat_x"):
    cells = slices(VALUES, by=("feature",), predictions=rows)[(feature,)]
    return shift_of(cells, ALL["psi"].choice(()))


def textbook_psi(then: np.ndarray, now: np.ndarray, edges: np.ndarray) -> float:
    q, p = (np.histogram(v, [-np.inf, *edges, np.inf])[0] / len(v) for v in (then, now))
    return float(((p - q) * np.log(p / q)).sum())


@pytest.fixture(scope="module")
def numbers() -> tuple[np.ndarray, np.ndarray, dict[str, Estimate]]:
    rng = np.random.default_rng(1)
    then, now = np.round(rng.normal(37, 0.6, 4000), 4), np.round(rng.normal(37.2, 0.7, 1500), 4)
    return then, now, figures(frame(then, now))


def test_psi_is_the_textbook_sum_over_the_references_tenths(numbers):
    then, now, found = numbers
    # the grid's edges lie within 0.4 % of the tenths, so the figure does within a little of the textbook's
    assert found["psi"].value == pytest.approx(
        textbook_psi(then, now, np.quantile(then, np.arange(1, 10) / 10)), rel=0.15
    )
    one = shift(frame(then, now))
    reference, current = one.counts()
    q, p = reference[:-2] / reference.sum(), current[:-2] / current.sum()
    assert found["psi"].value == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-9)
    assert sum(c.psi for c in contributions(one)) == pytest.approx(found["psi"].value)


def test_jensen_shannon_equals_scipy(numbers):
    then, now, found = numbers
    reference, current = shift(frame(then, now)).counts()
    assert found["jensen_shannon"].value == pytest.approx(jensenshannon(reference, current, base=2), rel=1e-9)


def test_ks_is_scipys_within_its_stated_bound(numbers):
    then, now, found = numbers
    exact = ks_2samp(then, now).statistic
    one = found["ks"]
    assert one.value <= exact + 1e-12 <= one.high
    assert exact - one.value < 0.03  # 37 degrees lie 30 bins from 42


def test_wasserstein_is_scipys_in_standard_deviations(numbers):
    then, now, found = numbers
    exact = wasserstein_distance(then, now) / then.std()
    assert found["wasserstein"].value == pytest.approx(exact, abs=0.03)
    assert found["wasserstein"].low < 0.2 / 0.6 < found["wasserstein"].high


def test_scores_have_a_grid_fine_at_both_ends():
    rng = np.random.default_rng(2)
    then, now = 1 / (1 + np.exp(-rng.normal(6, 1, 3000))), 1 / (1 + np.exp(-rng.normal(6.4, 1, 1500)))
    rows = frame(then, now).assign(score=[*then, *now])
    found = figures(rows, "score")
    edges = np.quantile(then, np.arange(1, 10) / 10)
    assert found["psi"].value == pytest.approx(textbook_psi(then, now, edges), rel=0.15)
    assert found["ks"].value == pytest.approx(ks_2samp(then, now).statistic, abs=0.02)


def test_one_outlier_in_fifty_thousand_leaves_the_verdict():
    """Evidently's PSI falls from 0.24 (drift) to 0.02 (no drift), its JS from 0.171 to 0.003."""
    rng = np.random.default_rng(3)
    then, now = np.round(rng.normal(0, 1, 8000), 3), np.round(rng.normal(0.5, 1, 50_000), 3)
    plain, odd = (figures(frame(then, values)) for values in (now, np.concatenate([now[1:], [1e9]])))
    for key in ("psi", "ks", "wasserstein", "jensen_shannon"):
        assert odd[key].value == pytest.approx(plain[key].value, rel=0.001), key
    assert "drift: large and beyond chance" in odd["psi"].warnings
    before, after = (edges_of(halves(slices(VALUES, by=("feature",), predictions=f)[("feat_x",)], Choice()).reference)
                     for f in (frame(then, now), frame([*then[1:], 1e9], now)))  # fmt: skip
    assert np.abs(before.cuts - after.cuts).max() <= 1


@pytest.mark.parametrize("n", [200, 2000])
def test_undrifted_samples_stay_quiet_at_the_stated_rate(n):
    """A fixed 0.1 alone gives 36 to 51 % false alarms at n = 200."""
    rng = np.random.default_rng(4)
    runs = 20_000 if SOAK else 2000
    reference = rng.multinomial(5000, [0.1] * 10, runs).astype(float)
    current = rng.multinomial(n, [0.1] * 10, runs).astype(float)
    hits = sum(flagged(a, b) for a, b in zip(reference, current, strict=True))
    assert hits / runs <= 0.003


def test_a_short_reference_raises_no_more_alarms():
    """NannyML's mean and three deviations of ten reference chunks alarm in 2.3 % of undrifted chunks, of six in 5.2 %."""
    rng = np.random.default_rng(14)
    for days in (6, 10):
        reference = rng.multinomial(days * 300, [0.1] * 10, 2000).astype(float)
        current = rng.multinomial(300, [0.1] * 10, 2000).astype(float)
        hits = sum(flagged(a, b) for a, b in zip(reference, current, strict=True))
        assert hits / 2000 <= 0.003


def test_edges_are_the_same_in_any_order_of_the_rows():
    """DuckDB's approx_quantile differs from run to run (3.88531 to 3.88533); ours are read off exact counts."""
    rng = np.random.default_rng(15)
    then = np.round(rng.lognormal(1, 1, 3000), 4)
    first = shift(frame(then, then[:500])).edges
    for _ in range(3):
        assert np.array_equal(shift(frame(rng.permutation(then), then[:500])).edges.cuts, first.cuts)


def test_raw_counts_are_never_compared():
    """popmon's PSI of an undrifted day is 129,195, because it compares counts of unequal totals."""
    reference = np.full(10, 100_000.0)
    assert psi(reference, np.full(10, 50.0)).value == pytest.approx(0, abs=1e-12)


def test_a_rare_categorys_rise_counts_in_full():
    """Deepchecks floors each cell at 1 %: 0.1 % to 0.9 % then adds nothing (true 0.0176)."""
    found = psi(np.array([99_900.0, 100.0]), np.array([99_100.0, 900.0]))
    q, p = np.array([0.999, 0.001]), np.array([0.991, 0.009])
    assert found.value == pytest.approx(((p - q) * np.log(p / q)).sum())
    assert found.value > 0.0175


def test_a_large_shift_is_never_green_because_a_p_value_failed():
    """popmon's KS p value is NaN above a score of 6.81, and its light is then green."""
    rng = np.random.default_rng(5)
    found = figures(frame(rng.normal(0, 1, 5000).round(3), rng.normal(3, 1, 5000).round(3)))
    assert "beyond chance (p 0)" in " ".join(found["ks"].warnings)
    assert found["psi"].low > 0.1


def test_one_unseen_category_is_told_and_is_no_verdict_by_itself():
    """whylogs' chi-square is p = 0 from one unseen value; its reference is taken as exact (30 % false alarms)."""
    rng = np.random.default_rng(6)
    then, now = rng.choice(["web", "shop", "phone"], 3000), rng.choice(["web", "shop", "phone"], 1999)
    found = figures(frame(then, [*now, "kiosk"]))
    assert "drift: large" not in found["psi"].warnings[1]
    assert (found["new_categories"].numerator, found["new_categories"].n) == (1, 2000)
    assert not any("kiosk" in w for w in found["new_categories"].warnings)  # fewer than ten persons
    more = figures(frame(then, [*now[:-50], *["kiosk"] * 50]))
    assert "new: kiosk (50)" in more["new_categories"].warnings


def test_the_bins_say_what_they_hold_then_and_now():
    """Giskard prints the expected shares in the column of the actual ones."""
    rows = contributions(shift(frame(["a"] * 600 + ["b"] * 400, ["a"] * 200 + ["b"] * 700 + ["c"] * 100)))
    told = {r.name: (round(r.reference, 3), round(r.current, 3)) for r in rows}
    assert told == {"a": (0.6, 0.2), "b": (0.4, 0.7), "new categories": (0.0, 0.1)}


def test_benjamini_hochberg_equals_statsmodels_and_takes_no_tests():
    """Giskard ranks by argsort + 1: any discovery in 92.6 % of null families, and an empty family raises."""
    rng = np.random.default_rng(7)
    for size in (1, 2, 50):
        p = rng.uniform(size=size) ** 2
        assert adjusted(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert len(adjusted(np.empty(0))) == 0


def test_cusum_is_quiet_without_drift_and_finds_a_lasting_small_shift():
    rng = np.random.default_rng(8)
    runs, days = (4000, 200) if SOAK else (300, 100)
    alarms, found = 0, 0
    for _ in range(runs):
        reference = rng.multinomial(28 * 500, [0.1] * 10).astype(float)
        quiet = cusum(daily_scores(reference, rng.multinomial(500, [0.1] * 10, days).astype(float)))
        alarms += bool((quiet.sums > 5).any())
        slid = rng.multinomial(500, np.linspace(0.085, 0.115, 10), days).astype(float)
        found += cusum(daily_scores(reference, slid)).alarm
    assert alarms / runs < 1.5 * days / 930 + 0.02
    assert found / runs > 0.9


def test_cusum_says_since_when():
    rng = np.random.default_rng(9)
    then = rng.normal(0, 1, 28 * 300).round(3)
    now = rng.normal(0.25, 1, 12 * 300).round(3)
    found = figures(frame(then, now))["cusum"]
    assert found.value > 5
    assert any(w.startswith("above 5: it has risen since 2026-01-2") for w in found.warnings)


def test_missing_values_and_vanished_categories_are_counted():
    found = figures(frame(["a"] * 500 + ["b"] * 500, ["a"] * 700 + [None] * 300))
    assert (found["null_share"].numerator, found["null_share"].denominator) == (300, 2000)
    assert found["null_share_difference"].value == pytest.approx(0.3)
    assert found["missing_categories"].value == 1
    assert "gone: b" in found["missing_categories"].warnings
    names = [c.name for c in contributions(shift(frame(["a"] * 500, ["a"] * 300 + [None] * 200)))]
    assert names[0] == "missing"


def test_what_cannot_be_compared_says_why():
    short = figures(frame([1.5] * 100, []))
    assert "no prediction outside the reference (2026-01-01 to 2026-01-28)" in short["psi"].reason
    words = figures(frame(["a", "b"] * 200, ["a"] * 400))
    assert "categories" in words["ks"].reason
    same = figures(frame(["1.5"] * 400, ["1.5"] * 400))
    assert same["psi"].value == 0.0
    with pytest.raises(ValueError, match="write `first 28 days`"):
        figures(frame([1.5] * 100, [1.5] * 100), reference="January")


def test_the_reference_can_be_named_and_the_rest_of_all_days_is_current():
    rows = frame(["a"] * 560, ["b"] * 240)
    found = figures(rows, reference="2026-01-29/2026-02-09")
    assert found["psi"].n == 560
    assert figures(rows, reference="first 10 days")["psi"].n == 800 - 200


def test_a_models_count_of_drifted_inputs_takes_both_size_and_chance():
    rng = np.random.default_rng(10)
    n = 2800
    then, now = rng.normal(0, 1, n).round(3), rng.normal(1, 1, n).round(3)
    steady = rng.choice(["x", "y"], 2 * n)
    rows = frame(then, now, feat_y=list(steady)).assign(score=rng.uniform(size=2 * n))
    cells = slices(VALUES, predictions=rows)[()]
    found = ALL["drifted_features"].finalise(cells, Choice())
    assert (found.numerator, found.denominator) == (1, 3)
    assert "drifted: feat_x" in found.warnings
    days = ALL["days_flagged"].finalise(cells, Choice())
    assert (days.numerator, days.denominator) == (12, 12)


def test_undrifted_days_are_flagged_at_less_than_the_stated_rate():
    rng = np.random.default_rng(11)
    rows = frame(rng.normal(0, 1, 28 * 150).round(2), rng.normal(0, 1, 12 * 150).round(2))
    found = ALL["days_flagged"].finalise(slices(VALUES, predictions=rows)[()], Choice())
    assert (found.numerator, found.denominator) == (0, 12)


def test_a_word_below_one_in_a_thousand_of_its_day_is_not_kept():
    day = [FIRST] * 5000
    rows = predictions(
        [0.5] * 5000, predicted_at=day, feat_x=["common"] * 4997 + ["rare 1", "rare 2", "rare 3"]
    )
    cells = slices(VALUES, by=("feature",), predictions=rows)[("feat_x",)]
    assert dict(zip(cells.now.word.tolist(), cells.now.n.tolist(), strict=True)) == {
        "common": 4997,
        "(rare)": 3,
    }


def test_numbers_keep_their_order_on_the_grid():
    values = [-1e6, -3.5, -1e-3, 0.0, 1e-12, 1e-3, 0.5, 1, 2, 3, 36.5, 37.0, 2025, 1e9]
    rows = predictions([0.5] * len(values), feat_x=[repr(v) for v in values])
    edges = []
    for v, r in zip(values, rows.feat_x, strict=True):
        cells = slices(VALUES, by=("feature",), predictions=rows[rows.feat_x == r])[("feat_x",)]
        edges.append((v, int(cells.now.bin[0])))
    codes = [c for _, c in edges]
    assert codes == sorted(codes)
    assert len(set(codes)) == len(codes) - 1  # 1e-12 is 0


def test_the_interval_of_the_psi_covers_the_true_one():
    rng = np.random.default_rng(12)
    runs = 2000 if SOAK else 300
    q, p = np.full(10, 0.1), np.linspace(0.06, 0.14, 10)
    true = float(((p - q) * np.log(p / q)).sum())
    inside = 0
    for _ in range(runs):
        found = psi(rng.multinomial(4000, q).astype(float), rng.multinomial(1500, p).astype(float))
        inside += found.low <= true <= found.high
    assert inside / runs >= 0.92
    assert chi2.sf(1, 9) > 0  # scipy's own name for the yardstick


def test_every_metric_of_the_family_is_finalised_on_nothing_to_compare():
    rows = frame([None] * 60, [None] * 40)
    for estimate in figures(rows).values():
        assert estimate.value is not None or estimate.reason
    assert drift.ROLLUPS == (VALUES,)
