"""The published answers, each through a specification as a user writes it."""

import csv
import gzip
import json

import numpy as np
import pytest

from metrics.attribution import did, gates, linear, sequential
from metrics.attribution.panel import Panel
from metrics.attribution.randomised import Trial, design, estimate
from metrics.core.intervals import Moment
from tests.attribution.studies import csv_of, other, study, verdicts
from tests.cases import CASES, needs_cases

pytestmark = needs_cases
FOLDER = CASES / "attribution"


def published(case: str, check: str):
    cases = {c["id"]: c for c in json.loads((FOLDER / "cases.json").read_text())}
    found = cases[case]["checks"][check]
    return pytest.approx(found["published"], abs=found["tolerance"] or 1e-12, rel=0)


def rows(name: str, delimiter: str = ",") -> list[dict[str, str]]:
    with (FOLDER / name).open() as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture
def metr(tmp_path):
    """METR's table with total time; a missing review time is the mean of its arm, as in the paper."""
    held = rows("metr_data_complete.csv")
    review = {
        a: np.mean(
            [
                float(r["post_review_implementation_time"])
                for r in held
                if r["ai_treatment"] == a and r["post_review_implementation_time"]
            ]
        )
        for a in ("0.0", "1.0")
    }
    total = [
        float(r["initial_implementation_time"])
        + float(r["post_review_implementation_time"] or review[r["ai_treatment"]])
        for r in held
    ]
    named = {k: [r[k] for r in held] for k in ("dev_id", "issue_id", "ai_treatment", "predicted_time_no_ai")}
    return {
        "design": "randomised", "data": csv_of(tmp_path, total=total, **named), "outcome": "total",
        "arm": "ai_treatment", "treated": 1, "control": 0, "adjust_for": ["predicted_time_no_ai"],
        "log_outcome": True, "log_adjust": True, "direction": "lower_is_better", "unit": "issue_id",
    }  # fmt: skip


def test_metr_ai_slows_developers_down(tmp_path, metr):
    found = study(tmp_path, **metr)
    assert found.estimate == published("metr_2025_ai_rct", "effect")
    assert found.low == published("metr_2025_ai_rct", "hc3_lo")
    assert found.high == published("metr_2025_ai_rct", "hc3_hi")
    assert found.beneficial is False
    plain = other(found, "covariance-adjusted, one variance, normal")
    assert plain.low == published("metr_2025_ai_rct", "hom_lo")
    assert plain.high == published("metr_2025_ai_rct", "hom_hi")


def test_metr_clustered_by_developer(tmp_path, metr):
    found = study(tmp_path, **metr, cluster="dev_id")
    printed = other(found, "CR1 by cluster, normal")
    assert printed.low == published("metr_2025_ai_rct", "cl_lo")
    assert printed.high == published("metr_2025_ai_rct", "cl_hi")
    assert found.low < printed.low  # sixteen developers: the printed interval is too narrow


def test_metr_reversed_coding_changes_the_sign_and_unconfirmed_coding_blocks(tmp_path, metr):
    swapped = study(tmp_path, **{**metr, "treated": 0, "control": 1})
    assert swapped.estimate == pytest.approx(1 / 1.18839994 - 1, abs=1e-6)
    unsure = study(tmp_path, **{**metr, "coding_confirmed": False})
    assert unsure.grade == "blocked"
    assert not unsure.counted
    assert unsure.estimate is not None
    assert "coding_confirmed" in unsure.blocked_by


NSW = {"design": "randomised", "outcome": "re78", "arm": "treat", "treated": 1, "control": 0}
COVARIATES = ["age", "age2", "educ", "black", "hisp", "nodegree", "re74", "re75"]


def test_nsw_experiment(tmp_path):
    found = study(tmp_path, **NSW, data=str(FOLDER / "nsw_dw.csv"), expected_split=0.416)
    assert found.grade == "randomised"
    assert found.estimate == published("nsw_dw_experimental", "effect")
    assert other(found, "difference of means, pooled").se == published("nsw_dw_experimental", "se")
    assert found.se == pytest.approx(671.0, abs=0.05)


def test_nsw_experiment_adjusted(tmp_path):
    held = rows("nsw_dw.csv")
    columns = {k: [r[k] for r in held] for k in held[0]}
    columns["age2"] = [float(r["age"]) ** 2 for r in held]  # Dehejia and Wahba adjust for the square too
    found = study(
        tmp_path, **NSW, data=csv_of(tmp_path, **columns), expected_split=0.416, adjust_for=COVARIATES
    )
    assert found.estimate == published("nsw_dw_experimental", "adjusted")
    assert other(found, "covariance-adjusted, one variance, t").se == published(
        "nsw_dw_experimental", "adjusted_se"
    )


def test_nsw_against_psid_is_blocked_with_baseline_and_downgraded_without(tmp_path):
    data = str(FOLDER / "nsw_psid.csv")
    found = study(tmp_path, **NSW, data=data, expected_split=0.07, adjust_for=["re74", "re75", "age", "educ"])
    assert found.grade == "blocked"
    assert "balance" in found.blocked_by
    naive = study(tmp_path, **NSW, data=data, expected_split=0.07)
    assert naive.estimate == published("nsw_vs_psid_trap", "effect")
    assert other(naive, "difference of means, pooled").se == published("nsw_vs_psid_trap", "se")
    assert naive.grade not in ("randomised", "quasi-experimental")


@pytest.mark.parametrize(("arm", "short"), [("Mens E-Mail", "mens"), ("Womens E-Mail", "womens")])
@pytest.mark.parametrize("outcome", ["visit", "conversion", "spend"])
def test_hillstrom(tmp_path, arm, short, outcome):
    found = study(
        tmp_path, design="randomised", data=str(FOLDER / "hillstrom.csv.gz"), outcome=outcome, arm="segment",
        treated=arm, control="No E-Mail", expected_split=0.5, pre_outcome="history",
    )  # fmt: skip
    plain = other(found, "difference of means, Welch")
    assert plain.estimate == published("hillstrom_email", f"{short}_{outcome}")
    assert found.grade == "randomised"
    with gzip.open(FOLDER / "hillstrom.csv.gz", "rt") as file:
        arms = [r["segment"] for r in csv.DictReader(file)]
    assert found.n == arms.count(arm) + arms.count("No E-Mail")


def test_card_krueger_as_filed_and_with_stores_matched(tmp_path):
    spec = {"design": "did", "outcome": "fte", "period": "d", "treated_unit": "nj", "post": "d"}
    filed = study(tmp_path, **spec, unit="store", data=str(FOLDER / "card_krueger_njmin3.csv"))
    assert filed.estimate == published("card_krueger_1994", "did_all")
    assert filed.grade == "modelled"
    held = rows("card_krueger_njmin3.csv")
    seen: dict[tuple[str, str], int] = {}
    unit = []
    for r in held:
        key = (r["nj"], r["d"])
        seen[key] = seen.get(key, 0) + 1
        unit.append(f"{r['nj']}-{seen[key]}")
    data = csv_of(tmp_path, unit=unit, **{k: [r[k] for r in held] for k in ("nj", "d", "fte")})
    matched = study(tmp_path, **spec, unit="unit", data=data)
    assert matched.estimate == published("card_krueger_1994", "did_balanced")
    assert matched.se == published("card_krueger_1994", "se_balanced")
    assert other(matched, "cell means").estimate == published("card_krueger_1994", "did_all")
    assert other(matched, "before and after").estimate == pytest.approx(0.588, abs=5e-4)
    assert matched.grade == "modelled"
    assert verdicts(matched)["pre_trend"] == "not computable"


def test_card_krueger_cell_means():
    held = rows("card_krueger_njmin3.csv")
    fte = {
        (g, d): np.array([float(r["fte"]) for r in held if (r["nj"], r["d"]) == (g, d) and r["fte"]])
        for g in "01"
        for d in "01"
    }
    width = max(map(len, fte.values()))
    pad = {k: np.pad(v, (0, width - len(v)), constant_values=np.nan) for k, v in fte.items()}
    outcome = np.vstack([np.column_stack([pad[g, "0"], pad[g, "1"]]) for g in "01"])
    panel = Panel(outcome, np.arange(2.0), ("0", "1"), np.empty((len(outcome), 0)))
    found = did.cell_means(did.Adoption(panel, np.repeat([0.0, 1.0], width), 1))
    for value, check in zip(found, ("pa_before", "pa_after", "nj_before", "nj_after"), strict=True):
        assert value == published("card_krueger_1994", check)


MPDTA = {
    "design": "staggered", "data": str(FOLDER / "mpdta.csv"), "outcome": "lemp", "unit": "countyreal",
    "period": "year", "cohort": "first.treat",
}  # fmt: skip


@pytest.mark.parametrize("aggregation", ["simple", "dynamic", "group"])
def test_callaway_santanna_aggregations(tmp_path, aggregation):
    found = study(tmp_path, **MPDTA, aggregation=aggregation)
    assert found.estimate == published("mpdta_callaway_santanna", aggregation)
    assert found.se == published("mpdta_callaway_santanna", f"{aggregation}_se")


@pytest.mark.parametrize("group", ["never_treated", "not_yet_treated"])
@pytest.mark.parametrize("aggregation", ["simple", "dynamic", "group", "calendar"])
def test_every_aggregation_is_that_of_r(tmp_path, group, aggregation):
    scenario = "mpdta_nev_dr" if group == "never_treated" else "mpdta_nyt_dr"
    row = next(
        r for r in rows("mpdta_r_did_aggte.csv") if (r["scenario"], r["type"]) == (scenario, aggregation)
    )
    found = study(tmp_path, **MPDTA, aggregation=aggregation, control_group=group)
    assert found.estimate == pytest.approx(float(row["overall_att"]), abs=1e-9)
    assert found.se == pytest.approx(float(row["overall_se"]), abs=1e-9)


def test_callaway_santanna_pre_test_and_event_path(tmp_path):
    found = study(tmp_path, **MPDTA)
    trend = next(d for d in found.diagnostics if d.name == "pre_trend")
    assert trend.value == published("mpdta_callaway_santanna", "pretest_p")
    assert "Wald 7.791237 on 5" in trend.why
    path = {p.event_time: p.estimate for p in found.path}
    for e in range(-3, 4):
        assert path[e] == published("mpdta_event_path", f"e{e}")


def test_proposition_99_by_four_methods(tmp_path):
    found = study(
        tmp_path, design="synthetic_control", data=str(FOLDER / "california_prop99.csv"), delimiter=";",
        outcome="PacksPerCapita", unit="State", period="Year", treated_units=["California"], treated_from=1989,
        direction="lower_is_better",
    )  # fmt: skip
    assert found.estimate == published("prop99_sdid_table1", "sdid")
    assert other(found, "difference-in-differences").estimate == published("prop99_sdid_table1", "did")
    assert other(found, "synthetic control").estimate == published("prop99_sdid_table1", "sc")
    assert other(found, "demeaned").estimate == published("prop99_sdid_table1", "difp")
    assert found.path[0].period == "1970"


SICILY = {
    "design": "interrupted_series", "data": str(FOLDER / "sicily.csv"), "outcome": "aces", "period": "time",
    "treated_from": 37, "offset": "stdpop", "direction": "lower_is_better",
}  # fmt: skip


def test_sicily_poisson_is_blocked_for_its_narrow_interval(tmp_path):
    found = study(tmp_path, **SICILY, family="poisson")
    assert 1 + found.estimate == published("sicily_smoking_ban", "rr_poisson")
    assert 1 + found.low == published("sicily_smoking_ban", "poisson_lo")
    assert 1 + found.high == published("sicily_smoking_ban", "poisson_hi")
    assert found.grade == "blocked"
    assert other(found, "before and after").estimate == pytest.approx(0.0338, abs=5e-4)


def test_sicily_with_season(tmp_path):
    found = study(tmp_path, **SICILY, family="quasipoisson", season_period=12, harmonics=2)
    assert 1 + found.estimate == published("sicily_smoking_ban", "rr_season")
    assert 1 + found.low == published("sicily_smoking_ban", "season_lo")
    assert 1 + found.high == published("sicily_smoking_ban", "season_hi")
    assert found.cumulative is None


def test_google_series_with_controls(tmp_path):
    found = study(
        tmp_path, design="interrupted_series", data=str(FOLDER / "ci_google_data.csv"), outcome="y", period="date",
        treated_from="2020-03-02", controls=["x1", "x2"], family="gaussian", flow=True,
    )  # fmt: skip
    assert found.estimate == published("causalimpact_r_google", "effect")
    assert found.se == published("causalimpact_r_google", "sd")
    assert found.low == published("causalimpact_r_google", "lo")
    assert found.high == published("causalimpact_r_google", "hi")
    assert found.cumulative.estimate == pytest.approx(30 * found.estimate)


def test_multiple_outcomes():
    p = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
                  0.6528, 0.759, 1.0])  # fmt: skip
    assert (sequential.benjamini_hochberg(p) <= 0.05).sum() == published("bh_1995_example", "bh")
    assert (sequential.holm(p) <= 0.05).sum() == published("bh_1995_example", "bonferroni")


def test_sample_ratio_of_kohavi():
    assert gates.srm_p(821588, 815482, 0.5) == published("srm_kohavi", "p")
    assert gates.sample_ratio(821588, 815482, 0.5).verdict.value == "block"


def test_group_sequential_bounds():
    looks = (0.2, 0.4, 0.6, 0.8, 1.0)
    for kind, short in (("obrien_fleming", "obf"), ("pocock", "poc")):
        for k, bound in enumerate(sequential.lan_demets(looks, kind=kind), start=1):
            assert bound == published("lan_demets_bounds", f"{short}{k}")


@pytest.mark.parametrize("looks", [2, 3, 4, 5, 10])
def test_peeking_inflates_false_positives(looks):
    assert sequential.peeking_rate(looks) == published("armitage_peeking", f"k{looks}")


def with_moments(n: int, total: float, squares: float) -> np.ndarray:
    """n values with a given sum and sum of squares."""
    half = n // 2
    base = np.array([1.0] * half + [-1.0] * half + [0.0] * (n - 2 * half))
    spread = (squares - total**2 / n) / (base @ base)
    return total / n + np.sqrt(spread) * base


def test_growthbook_t_test():
    a, b = with_moments(3407, 1396.87, 52377.9767), with_moments(3461, 2422.7, 134698.29)
    found = estimate(
        Trial(np.append(a, b), np.repeat([0.0, 1.0], (len(a), len(b))), np.empty((len(a) + len(b), 0)))
    )
    assert found.effect.estimate == published("gbstats_ttest", "abs")
    assert found.effect.low == published("gbstats_ttest", "abs_lo")
    assert found.effect.high == published("gbstats_ttest", "abs_hi")
    assert found.effect.p_value == published("gbstats_ttest", "abs_p")
    assert found.relative.estimate == published("gbstats_ttest", "rel")
    assert found.relative.low == published("gbstats_ttest", "rel_lo")
    assert found.relative.high == published("gbstats_ttest", "rel_hi")
    assert gates.verdicts_agree(found).verdict.value == "warn"


def test_growthbook_shares():
    outcome = np.concatenate([np.repeat([1.0, 0.0], (14, 14)), np.repeat([1.0, 0.0], (16, 14))])
    found = estimate(Trial(outcome, np.repeat([0.0, 1.0], (28, 30)), np.empty((58, 0)))).relative
    assert found.estimate == published("gbstats_ttest", "bin")


def test_growthbook_cuped_coefficient():
    pre, post = np.tile([0.3, 0.5, 0.9, 22.0], 2), np.tile([2.0, 1.0, 5.0, 3.0], 2)
    trial = Trial(post, np.repeat([0.0, 1.0], 4), pre[:, None])
    theta = linear.least_squares(design(trial), post).coefficients[2]
    assert theta == published("gbstats_cuped_theta", "theta")


def test_growthbook_confidence_sequence():
    a, b = (
        Moment(3000, 1396.87 / 3000, 52377.9767 - 1396.87**2 / 3000),
        Moment(3461, 0.7, 134698.29 - 2422.7**2 / 3461),
    )
    ratio = b.mean / a.mean
    se = np.sqrt(b.variance_of_mean / a.mean**2 + ratio**2 * a.variance_of_mean / a.mean**2)
    found = sequential.anytime(ratio - 1, float(se), 6461, 1000)
    assert found.estimate == published("gbstats_sequential", "mean")
    assert found.low == published("gbstats_sequential", "lo")
    assert found.high == published("gbstats_sequential", "hi")
