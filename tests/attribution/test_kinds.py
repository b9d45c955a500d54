"""Other studies of the same kinds: other names, delimiters, dates, missing cells; and what must be refused."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from click.testing import CliRunner

from app.__main__ import cli
from app.measure.studies.spec import SpecError
from app.report import json_of
from metrics.attribution.grade import grade
from metrics.attribution.result import Diagnostic, StudyError, Verdict
from tests.attribution.studies import ALWAYS, csv_of, other, study, verdicts
from tests.cases import ROOT

RNG = np.random.default_rng(7)


def arms(n=400, effect=1.0):
    rng = np.random.default_rng(3)
    pre = rng.normal(10, 2, n)
    arm = np.where(np.arange(n) % 2, "ai", "human")
    return arm, pre, pre + rng.normal(0, 1, n) + effect * (arm == "ai")


TRIAL = {
    "design": "randomised",
    "outcome": "y",
    "arm": "group",
    "treated": "ai",
    "control": "human",
    "expected_split": 0.5,
}


def test_text_arms_semicolons_and_decimal_commas(tmp_path):
    arm, pre, y = arms()
    data = csv_of(tmp_path, ";", group=arm, before=pre, y=y)
    plain = study(tmp_path, **TRIAL, data=data, delimiter=";", pre_outcome="before")
    (tmp_path / data).write_text((tmp_path / data).read_text().replace(".", ","))
    comma = study(tmp_path, **TRIAL, data=data, delimiter=";", decimal=",", pre_outcome="before")
    assert plain.estimate == comma.estimate
    assert plain.grade == "randomised"
    assert plain.high - plain.low < 0.5  # adjustment takes the baseline's spread away
    with pytest.raises(SpecError, match=r"row 2, column y: .* decimal"):
        study(tmp_path, **TRIAL, data=data, delimiter=";")


def test_parquet_gives_the_digits_of_csv(tmp_path):
    arm, pre, y = arms()
    text = study(tmp_path, **TRIAL, data=csv_of(tmp_path, group=arm, before=pre, y=y))
    pa.parquet.write_table(pa.table({"group": arm, "before": pre, "y": y}), tmp_path / "d.parquet")
    assert study(tmp_path, **TRIAL, data="d.parquet").estimate == text.estimate


def test_a_harmful_effect_is_reported_as_harm(tmp_path):
    arm, _, y = arms(effect=3)
    found = study(
        tmp_path, **{**TRIAL, "direction": "lower_is_better"}, data=csv_of(tmp_path, group=arm, y=y)
    )
    assert found.low > 0
    assert found.beneficial is False


def test_a_broken_split_and_mixed_exposure_block(tmp_path):
    arm, _, y = arms()
    keep = ~((arm == "ai") & (np.arange(len(arm)) % 3 == 0))
    found = study(tmp_path, **TRIAL, data=csv_of(tmp_path, group=arm[keep], y=y[keep]))
    assert found.blocked_by == ("sample_ratio",)
    unit = np.arange(len(arm)) // 2
    found = study(tmp_path, **TRIAL, unit="who", data=csv_of(tmp_path, who=unit, group=arm, y=y))
    assert found.blocked_by == ("mixed_exposure",)


def test_one_treated_cluster_never_gets_a_cluster_robust_interval(tmp_path):
    shop = np.repeat(np.arange(10), 20)
    arm = np.where(shop == 0, "ai", "human")
    y = np.random.default_rng(1).normal(size=200)
    data = csv_of(tmp_path, shop=shop, group=arm, y=y)
    found = study(tmp_path, **{**TRIAL, "expected_split": 0.1}, cluster="shop", data=data)
    assert found.grade == "blocked"
    assert found.se is found.low is found.p_value is None
    assert "clusters" in found.blocked_by
    assert other(found, "randomisation").p_value >= 0.1


def test_stratified_ratio_and_missing_outcomes(tmp_path):
    arm, pre, y = arms()
    stratum = np.arange(len(arm)) % 4 // 2
    data = csv_of(tmp_path, group=arm, s=stratum, y=[*[""] * 4, *y[4:]], base=np.abs(pre) + 1)
    found = study(tmp_path, **TRIAL, stratum="s", data=data)
    assert "stratified" in found.method
    assert any("4 of 400 rows have no outcome" in w for w in found.warnings)
    ratio = study(tmp_path, **TRIAL, denominator="base", data=data)
    assert "delta" in ratio.method
    assert ratio.low < ratio.estimate < ratio.high


def panel(tmp_path, units=30, periods=12, first=7, effect=2.0, hole=(), drift=0.0):
    rng = np.random.default_rng(11)
    lines = {k: [] for k in ("shop", "month", "ai", "y", "start", "after")}
    for u in range(units):
        level, treated = rng.normal(20, 3), u < units // 3
        for t in range(periods):
            y = level + 0.2 * t + rng.normal(0, 0.5) + treated * (drift * t + effect * (t >= first))
            lines["shop"].append(f"shop {u}")
            lines["month"].append(f"2025-{t + 1:02d}-01")
            lines["ai"].append(int(treated))
            lines["y"].append("" if (u, t) in hole else y)
            lines["start"].append(f"2025-{first + 1 + u % 3:02d}-01" if treated else "")
            lines["after"].append(int(t >= first))
    return csv_of(tmp_path, "|", **lines)


DID = {
    "design": "did",
    "unit": "shop",
    "period": "month",
    "outcome": "y",
    "treated_unit": "ai",
    "delimiter": "|",
}


def test_did_with_dates_and_missing_cells(tmp_path):
    found = study(tmp_path, **DID, data=panel(tmp_path, hole={(0, 9), (20, 2)}), treated_from="2025-08-01")
    assert found.low < 2 < found.high
    assert found.grade == "quasi-experimental"
    assert len(found.path) == 12
    by_flag = study(tmp_path, **DID, data=panel(tmp_path, hole={(0, 9), (20, 2)}), post="after")
    assert by_flag.estimate == found.estimate


def test_did_with_a_drift_before_is_blocked(tmp_path):
    found = study(tmp_path, **DID, data=panel(tmp_path, drift=0.4), treated_from="2025-08-01")
    assert "pre_trend" in found.blocked_by
    assert not found.counted


def test_one_treated_region_blocks_a_did_and_leaves_its_numbers(tmp_path):
    header, *lines = (tmp_path / panel(tmp_path, hole={(0, 9)})).read_text().splitlines()
    cells = [line.split("|") for line in lines]
    region = ["north" if c[2] == "1" else f"south {int(c[0][5:]) % 7}" for c in cells]
    lines = [f"{line}|{r}" for line, r in zip(lines, region, strict=True)]
    (tmp_path / "data.csv").write_text("\n".join([f"{header}|region", *lines]) + "\n")
    found = study(tmp_path, **DID, data="data.csv", treated_from="2025-08-01", cluster="region")
    assert found.grade == "blocked"
    assert found.blocked_by == ("clusters",)
    assert found.estimate is not None
    assert found.se is found.low is found.p_value is None
    assert json_of(found)


def test_staggered_with_dates_and_empty_cohorts(tmp_path):
    spec = {k: v for k, v in DID.items() if k != "treated_unit"} | {"design": "staggered", "cohort": "start"}
    lines = panel(tmp_path, hole={(0, 9)}, effect=0.0)
    found = study(tmp_path, **spec, data=lines)
    assert found.low < 0.5
    assert found.n_treated == 10
    assert {p.event_time for p in found.path} >= {-1.0, 0.0}


def test_synthetic_control_with_a_hole_in_the_treated_unit(tmp_path):
    data = panel(tmp_path, units=30, periods=12, first=9, hole={(1, 3), (25, 2)})
    found = study(
        tmp_path, design="synthetic_control", data=data, delimiter="|", unit="shop", period="month", outcome="y",
        treated_units=["shop 1"], treated_from="2025-10-01",
    )  # fmt: skip
    assert any("2025-04-01" in w for w in found.warnings)
    assert any("1 untreated units" in w for w in found.warnings)
    assert found.n_control == 28


def monthly(tmp_path, effect=5.0, n=60, first=40):
    rng = np.random.default_rng(5)
    t = np.arange(n)
    x = 50 + 5 * np.sin(t / 5) + rng.normal(0, 1, n)
    y = 10 + x + rng.normal(0, 1, n) + effect * (t >= first)
    months = [f"{2020 + i // 12}-{i % 12 + 1:02d}-01" for i in t]
    return csv_of(tmp_path, when=months, sales=y, other=x, size=np.full(n, 1000))


SERIES = {"design": "interrupted_series", "period": "when", "outcome": "sales", "treated_from": "2023-05-01"}


def test_series_with_and_without_controls(tmp_path):
    with_controls = study(tmp_path, **SERIES, data=monthly(tmp_path), controls=["other"], flow=True)
    assert with_controls.low < 5 < with_controls.high
    assert with_controls.cumulative.estimate == pytest.approx(20 * with_controls.estimate)
    checked = verdicts(with_controls)
    assert {checked[g] for g in ("baseline_length", "autocorrelation", "placebo_in_time", "controls")} == {
        "pass"
    }
    assert checked["calibration"] == "warn"  # its false positives were counted, and there are too many
    assert with_controls.grade == "modelled"
    alone = study(tmp_path, **SERIES, data=monthly(tmp_path))
    assert "segmented" in alone.method
    assert "calibration" not in verdicts(alone)
    assert alone.cumulative is None


def test_the_same_study_gives_the_same_bytes_whatever_the_hash_seed(tmp_path):
    """This process has one hash seed, a child another; each registers the plan in a home of its own and runs it."""
    spec = {**ALWAYS, **SERIES, "data": monthly(tmp_path), "controls": ["other"]}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))
    here, there = (
        ("--home", str(tmp_path / h), "study", "run", str(tmp_path / "spec.yaml"), "--json") for h in "ab"
    )
    seed = "4" if os.environ.get("PYTHONHASHSEED") == "3" else "3"
    child = subprocess.run(
        [sys.executable, "-m", "app", *there], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True, check=True,
    )  # fmt: skip
    done = CliRunner().invoke(cli, here)
    assert done.exit_code == 0, done.output
    assert done.stdout_bytes == child.stdout


def test_a_changed_plan_has_another_hash_and_the_data_do_not_belong_to_it(tmp_path):
    arm, _, y = arms()
    first = study(tmp_path, **TRIAL, data=csv_of(tmp_path, group=arm, y=y))
    again = study(tmp_path, **TRIAL, data=csv_of(tmp_path, group=arm, y=y + 1))
    assert first.plan_hash == again.plan_hash
    assert first.data_hash != again.data_hash
    changed = study(tmp_path, **{**TRIAL, "expected_split": 0.4}, data="data.csv")
    assert changed.plan_hash != first.plan_hash


def test_value_cost_and_return(tmp_path):
    arm, _, y = arms(effect=1)
    data = csv_of(tmp_path, group=arm, y=y)
    (tmp_path / "costs.csv").write_text(
        "cost_date,category,amount\n2025-01-01,build,300\n2025-03-01,run,100\n"
    )
    money = {
        "unit_value": {"low": 4, "mid": 5, "high": 6},
        "recapture": 0.5,
        "costs": "costs.csv",
        "discount_rate": 0.08,
    }
    found = study(tmp_path, **TRIAL, data=data, **money)
    assert found.roi.value == pytest.approx(found.estimate * 200 * 5 * 0.5)
    assert found.roi.cost == 400
    assert found.roi.roi == pytest.approx(found.roi.value / 400 - 1)
    assert found.roi.break_even_effect == pytest.approx(400 / (200 * 5 * 0.5))
    assert found.roi.counted
    assert found.roi.npv is None
    assert "no dates" in found.roi.reason
    blocked = study(tmp_path, **{**TRIAL, "coding_confirmed": False}, data=data, **money)
    assert not blocked.roi.counted


def test_dated_value_has_npv_and_payback(tmp_path):
    (tmp_path / "costs.csv").write_text("cost_date,amount\n2023-05-01,50\n")
    found = study(
        tmp_path, **SERIES, data=monthly(tmp_path), controls=["other"], unit_value=2, costs="costs.csv",
        discount_rate=0.1,
    )  # fmt: skip
    assert found.roi.npv < found.roi.value - 50
    assert 0 < found.roi.payback_days < 620


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"desing": "did"}, "did you mean `design`"),
        ({"design": "magic"}, "design: 'magic' is not one of"),
        ({"arm": None}, "`arm` is missing"),
        ({"outcome": "z"}, "no column 'z'; it has: group, y"),
        ({"treated": "robot"}, "no row of column group is 'robot'; it holds"),
        ({"expected_split": 50}, "expected_split: 50 is no number from"),
        ({"data": "gone.csv"}, "there is no file"),
        ({"coding_confirmed": "yes please"}, "coding_confirmed"),
        ({"unit_value": {"low": 3, "mid": 2, "high": 1}}, "low <= mid <= high"),
        ({"log_outcome": True, "outcome": "neg"}, "no column|no logarithm"),
    ],
)
def test_a_bad_specification_names_the_key_and_what_to_do(tmp_path, change, message):
    arm, _, y = arms()
    data = csv_of(tmp_path, group=arm, y=y)
    with pytest.raises(SpecError, match=message):
        study(tmp_path, **{**TRIAL, "data": data, **change})


@pytest.mark.parametrize("cell", ["n/a", "nan", "inf", "1_000", "12 apples"])
def test_a_bad_cell_is_named_by_row_column_and_value(tmp_path, cell):
    arm, _, y = arms()
    data = csv_of(tmp_path, group=arm, y=[*y[:3], cell, *y[4:]])
    with pytest.raises(SpecError, match=r"data.csv, row 5, column y: .* is no number"):
        study(tmp_path, **TRIAL, data=data)


def test_ragged_double_and_uneven_files_are_refused(tmp_path):
    (tmp_path / "data.csv").write_text("group,y\nai,1\nhuman,2,3\n")
    with pytest.raises(SpecError, match="Expected 2 columns, got 3"):
        study(tmp_path, **TRIAL, data="data.csv")
    data = panel(tmp_path)
    text = (tmp_path / data).read_text().splitlines()
    (tmp_path / data).write_text("\n".join([*text, text[-1]]))
    with pytest.raises(SpecError, match="has a second row for month"):
        study(tmp_path, **DID, data=data, treated_from="2025-08-01")


def test_a_log_of_zero_and_an_empty_arm_are_refused(tmp_path):
    arm, _, y = arms()
    data = csv_of(tmp_path, group=arm, y=[0, *y[1:]])
    with pytest.raises(StudyError, match="no logarithm"):
        study(tmp_path, **TRIAL, data=data, log_outcome=True)


def test_the_grade_follows_from_the_diagnostics_alone():
    def gate(name, verdict):
        return Diagnostic(name, None, None, verdict, "")

    held = (gate("sample_ratio", Verdict.PASS), gate("undeclared_differences", Verdict.PASS))
    assert grade("randomised", held) == "randomised"
    assert grade("randomised", (*held, gate("clusters", Verdict.BLOCK))) == "blocked"
    assert grade("randomised", (*held, gate("attrition", Verdict.WARN))) == "modelled"
    assert grade("randomised", ()) == "modelled"
