"""Inputs that nobody should send and somebody will: each is a clear error or a state, never a made-up number or a traceback."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from app.measure.studies.outcome import StudyResult
from app.measure.studies.run import run_study
from app.measure.studies.segments import Uplift
from app.measure.studies.spec import SpecError
from app.measure.studies.table import Table
from app.report import json_of
from metrics.attribution.result import StudyError
from tests.attribution.studies import ALWAYS, csv_of, no_warehouse, study, verdicts

N = 60
RNG = np.random.default_rng(4)
ARM, Y = np.arange(N) % 2, RNG.normal(size=N)
TRIAL = {
    "design": "randomised",
    "outcome": "y",
    "arm": "g",
    "treated": 1,
    "control": 0,
    "expected_split": 0.5,
}
NO_SPREAD = "no spread beyond rounding"


def panel(
    units: int = 16, periods: int = 8, noise: float = 1.0, effect: float = 0.0
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    u, t = np.repeat(np.arange(units), periods), np.tile(np.arange(periods) + 1, units)
    d = u % 2
    y = rng.normal(0, 2, units)[u] + 0.3 * t + noise * rng.normal(size=len(u)) + effect * d * (t >= 5)
    return {"u": u, "t": t, "d": d, "y": y}


def without(rows: dict[str, np.ndarray], gone: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[~gone] for name, values in rows.items()}


PANEL = panel()
DID = {"design": "did", "unit": "u", "period": "t", "outcome": "y", "treated_unit": "d", "treated_from": 5}
ROLLOUT = {"design": "staggered", "unit": "u", "period": "t", "outcome": "y", "cohort": "c"}
STARTS = np.array([0, 4, 6])[PANEL["u"] % 3]
REGION = {
    "design": "synthetic_control", "unit": "u", "period": "t", "outcome": "y", "treated_units": [0], "treated_from": 15,
}  # fmt: skip
REGIONS = panel(21, 18)
SERIES = {"design": "interrupted_series", "period": "t", "outcome": "y", "treated_from": 41}
T = np.arange(60) + 1
LEVEL = 10 + RNG.normal(size=60)
COUNTS = RNG.poisson(5, 60)


def of_bytes(folder: Path, data: bytes, name: str = "data.csv", **keys: object) -> StudyResult:
    (folder / name).write_bytes(data)
    return study(folder, **{**TRIAL, **keys}, data=name)


def parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


ROWS = b"g,y\n" + b"".join(b"%d,%d\n" % (i % 2, i * i) for i in range(2000))


@pytest.mark.parametrize(
    ("data", "name", "keys", "message"),
    [
        (b"", "data.csv", {}, "Empty"),
        (b"\n\n", "data.csv", {}, "Empty"),
        (b"g,y\n", "data.csv", {}, "no rows below its header"),
        ("g,y\n1,2\n".encode("utf-16"), "data.csv", {}, "save it as UTF-8"),
        (b'g,y\n1,"2\n0,3\n', "data.csv", {}, "quotation mark is never closed"),
        (b"g,y,y\n1,2,3\n", "data.csv", {}, "'y' twice"),
        (b"g,y," + b"x" * 200_000 + b"\n1,2,3\n", "data.csv", {}, "field limit"),
        (b"g,y\n1,1e150\n0,2\n", "data.csv", {}, "row 2, column y: 1e[+]150 is beyond"),
        (b"g,y\n1,1e-150\n0,2e-150\n", "data.csv", {}, "smaller unit"),
        (b"g;y\n1;1.234\n0;1.235\n", "data.csv", {"delimiter": ";", "decimal": ","}, "row 2, column y: '1.234' has a point"),
        (b"\n\r\ng,y\n\n1,2\n\n0,x\n", "data.csv", {}, "row 7, column y: 'x' is no number"),  # blank lines are counted
        (b'g,y,c\n1,2,"a\nb"\n0,x,c\n', "data.csv", {}, "row 3, column y"),  # a cell of two lines is in one row
        (b'g,y,c\n1,2,"a\n\nb"\n\n0,x,c\n', "data.csv", {}, "row 4, column y"),
        (b"g,y\n1,2\n0,x\n\n\n", "data.csv", {}, "row 3, column y"),  # those at the end move nothing
        (gzip.compress(ROWS)[:-20], "data.csv.gz", {}, "ended before"),
        (b"\x1f\x8b" + bytes(200), "data.csv.gz", {}, "mend or export"),
        (b"hello", "data.parquet", {}, "Parquet"),
        (parquet(g=[[1], [0]], y=[1.0, 2.0]), "data.parquet", {}, "holds no names"),
        (parquet(g=[1, 0], y=[[1.0], [2.0]]), "data.parquet", {}, "list<.*> is no number"),
        (parquet(g=pa.array([], pa.int64()), y=pa.array([], pa.float64())), "data.parquet", {}, "no rows"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path, data, name, keys, message):
    with pytest.raises(SpecError, match=message):
        of_bytes(tmp_path, data, name, **keys)


def test_a_row_of_some_is_named_by_its_number_in_the_file():
    held = pa.table({"site": ["a", "b", "", "d", "NA"]})
    some = Table(held, "data.csv", ".", np.arange(2, 7), "").take(np.array([0, 3, 4]))
    with pytest.raises(SpecError, match="row 6, column site: the cell is empty"):
        some.complete("site")


def test_identifiers_beyond_the_digits_of_a_float_do_not_stop_a_study(tmp_path):
    found = of_bytes(tmp_path, parquet(id=np.arange(N) + (1 << 60), g=ARM, y=Y), "data.parquet")
    assert found.estimate == pytest.approx(Y[ARM == 1].mean() - Y[ARM == 0].mean())


@pytest.mark.parametrize("blank", [b"", b"\n"])
def test_a_row_longer_than_a_block_is_read(tmp_path, blank):
    found = of_bytes(tmp_path, b"g,y,c\n1,2," + b"x" * 3_000_000 + b"\n" + blank + b"0,3,a\n1,2,1\n0,1,1\n")
    assert found.n == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: 99999999999999999999999\n", "cannot be registered"),
        ("adjust_for: &a [*a]\n", "adjust_for"),
        ("? [a]\n: b\n", "a list cannot be a key"),
        ("name: " + "[" * 500 + "]" * 500 + "\n", "not YAML"),
        ("name: 2020-02-31\n", "not YAML"),
        ("planned_units: 100\nlooks: [true]\n", "looks"),
        ("recapture: 2\n", "recapture"),
        ("unit_value: .inf\n", "unit_value"),
        ("adjust_for: [y]\n", "outcome: column y is also named as adjust_for"),
        ("data: {warehouse: {table: x, where: {a: [1, 2]}}}\n", "one value each"),
        ("adjust_for: [flat]\n", "column flat is 1 in every row"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_in_words(tmp_path, text, message):
    csv_of(tmp_path, g=ARM, y=Y, flat=np.ones(N))
    spec = {k: v for k, v in {**ALWAYS, **TRIAL, "data": "data.csv"}.items() if not text.startswith(f"{k}:")}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec) + text)
    with pytest.raises(SpecError, match=message):
        run_study(tmp_path / "spec.yaml", lambda plan, spec: (), no_warehouse)


def test_a_bare_yes_for_an_arm_called_yes_is_explained(tmp_path):
    data = csv_of(tmp_path, g=np.where(ARM, "yes", "no"), y=Y)
    with pytest.raises(SpecError, match="in quotes"):
        study(tmp_path, **{**TRIAL, "treated": True, "control": False}, data=data)


@pytest.mark.parametrize(
    ("spec", "rows", "estimate"),
    [
        (TRIAL, {"g": ARM, "y": np.full(N, 0.1)}, 0.0),
        (TRIAL, {"g": ARM, "y": 0.1 + 0.2 * ARM}, 0.2),
        (
            {**TRIAL, "cluster": "c"},
            {"g": np.arange(N) // 30, "y": np.full(N, 0.3), "c": np.arange(N) // 5},
            0.0,
        ),
        ({**TRIAL, "stratum": "s"}, {"g": ARM, "y": np.full(N, 0.3), "s": np.arange(N) // 20}, 0.0),
        (DID, panel(noise=0), 0.0),
        (DID, panel(noise=0, effect=1.0), 1.0),
        (ROLLOUT, {**panel(noise=0), "c": STARTS}, 0.0),
        (REGION, {**REGIONS, "y": np.full(len(REGIONS["u"]), 0.1)}, 0.0),
        (SERIES, {"t": T, "y": 0.1 * T}, 0.0),
        (SERIES, {"t": T, "y": 0.1 * T + (T >= 41)}, 1.0),
        ({**SERIES, "family": "quasipoisson"}, {"t": T, "y": np.full(60, 7)}, 0.0),
    ],
)
def test_data_without_spread_have_no_interval_no_p_value_and_are_never_attributed(
    tmp_path, spec, rows, estimate
):
    found = study(tmp_path, **spec, data=csv_of(tmp_path, **rows))
    assert found.estimate == pytest.approx(estimate, abs=1e-12)
    assert found.se is found.low is found.high is found.p_value is None
    assert found.reason
    assert found.grade in ("modelled", "blocked")
    assert verdicts(found)["undefined_figures"] == "pass"


EVERY_DESIGN = [
    (TRIAL, {"g": ARM, "y": Y}),
    (DID, PANEL),
    (ROLLOUT, {**PANEL, "c": STARTS}),
    (REGION, REGIONS),
    (SERIES, {"t": T, "y": LEVEL}),
]
ADJUSTED = ({**TRIAL, "adjust_for": ["x"]}, {"g": ARM, "y": Y, "x": RNG.normal(size=N) + 1.7e9})


@pytest.mark.parametrize("shift", [1e9, -1e9, 1e12])
@pytest.mark.parametrize(("spec", "rows"), [*EVERY_DESIGN, ADJUSTED])
def test_a_far_level_takes_no_digits_of_the_effect(tmp_path, spec, rows, shift):
    near = study(tmp_path, **spec, data=csv_of(tmp_path, **rows))
    shifted = {**rows, "y": [f"{shift + v:.6f}" for v in rows["y"]]}
    far = study(tmp_path, **spec, data=csv_of(tmp_path, **shifted))
    tolerance = 3e-5 if abs(shift) == 1e9 else 3e-3  # what is left of six decimals in a float of this size
    assert (far.estimate, far.se) == (
        pytest.approx(near.estimate, abs=tolerance), pytest.approx(near.se, abs=tolerance),
    )  # fmt: skip
    assert far.grade == near.grade
    assert "swapped_arms" not in far.blocked_by


@pytest.mark.parametrize("factor", [1e-9, 1e9])
@pytest.mark.parametrize(("spec", "rows"), EVERY_DESIGN)
def test_another_unit_of_the_outcome_changes_nothing_but_the_unit(tmp_path, spec, rows, factor):
    one = study(tmp_path, **spec, data=csv_of(tmp_path, **rows))
    other = study(tmp_path, **spec, data=csv_of(tmp_path, **{**rows, "y": rows["y"] * factor}))
    for name in ("estimate", "se", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) * factor, rel=1e-6), name
    assert other.p_value == pytest.approx(one.p_value, rel=1e-5)
    assert other.grade == one.grade


@pytest.mark.parametrize("word", [("true", "false"), ("TRUE", "FALSE")])
def test_true_and_false_say_who_is_treated_as_1_and_0_do(tmp_path, word):
    plain = study(tmp_path, **DID, data=csv_of(tmp_path, **PANEL))
    told = study(tmp_path, **DID, data=csv_of(tmp_path, **{**PANEL, "d": np.where(PANEL["d"], *word)}))
    assert told.estimate == plain.estimate
    assert told.series == plain.series


def test_a_period_with_one_treated_unit_has_a_point_without_an_interval_and_stops_nothing(tmp_path):
    gone = (PANEL["t"] == 2) & (PANEL["d"] == 1) & (PANEL["u"] != 1)
    found = study(tmp_path, **DID, data=csv_of(tmp_path, **without(PANEL, gone)))
    (point,) = [p for p in found.path if p.event_time == -3]
    assert point.low is None
    assert found.low is not None


def test_one_cluster_of_repeated_surveys_has_no_standard_error(tmp_path):
    rows = {
        "u": np.zeros(40, int),
        "t": np.tile([4, 4, 5, 5], 10),
        "d": np.tile([0, 1], 20),
        "y": RNG.normal(size=40),
    }
    found = study(tmp_path, **DID, data=csv_of(tmp_path, **rows))
    assert "clusters" in found.blocked_by
    assert found.se is found.low is None
    assert found.estimate is not None


def test_a_group_missing_from_a_period_of_repeated_surveys_is_named(tmp_path):
    rows = {
        "u": np.zeros(60, int),
        "t": np.tile([3, 3, 4, 4, 5, 5], 10),
        "d": np.tile([0, 0, 0, 1, 0, 1], 10),
        "y": RNG.normal(size=60),
    }
    with pytest.raises(StudyError, match="treated group is of period 3"):
        study(tmp_path, **DID, data=csv_of(tmp_path, **rows))


def test_without_a_unit_that_is_never_treated_no_spill_over_is_computed(tmp_path):
    rows = {**PANEL, "c": np.array([4, 6])[PANEL["u"] % 2], "met": np.zeros(len(PANEL["u"]), int)}
    found = study(
        tmp_path, **ROLLOUT, control_group="not_yet_treated", exposed="met", data=csv_of(tmp_path, **rows)
    )
    assert verdicts(found)["spill_over"] == "not computable"


@pytest.mark.parametrize(
    ("keys", "rows", "message"),
    [
        (
            {"family": "quasipoisson"},
            {"y": np.where(T >= 41, 0, COUNTS + 1)},
            "count after the treatment is 0",
        ),
        ({"family": "poisson"}, {"y": np.where(T < 41, 0, COUNTS + 1)}, "count before the treatment is 0"),
        ({"season_period": 4, "harmonics": 3}, {"y": LEVEL}, "at most 2"),
        ({"controls": ["x"]}, {"y": np.full(60, 0.1), "x": LEVEL}, "does not vary before"),
        ({"controls": ["x"]}, {"y": LEVEL, "x": np.full(60, 0.1)}, "control series does not vary"),
    ],
)
def test_a_series_that_tells_nothing_is_refused_in_words(tmp_path, keys, rows, message):
    with pytest.raises((SpecError, StudyError), match=message):
        study(tmp_path, **SERIES, **keys, data=csv_of(tmp_path, t=T, **rows))


def test_one_period_after_treatment_is_enough_for_a_step(tmp_path):
    data = csv_of(tmp_path, t=T[:41], y=LEVEL[:41])
    found = study(tmp_path, **SERIES, data=data)
    assert found.low < found.estimate < found.high
    (sloped,) = [a for a in found.alternatives if a.method == "step and slope"]
    assert sloped.estimate is None


def test_times_of_several_zones_are_refused_and_of_one_zone_read_as_written(tmp_path):
    def days(zone):
        return [f"2026-01-{t:02d}T00:00:00{zone}" for t in PANEL["t"]]

    plain = study(tmp_path, **DID, data=csv_of(tmp_path, **PANEL))
    keys = {**DID, "treated_from": "2026-01-05"}
    one = study(tmp_path, **keys, data=csv_of(tmp_path, **{**PANEL, "t": days("+05:00")}))
    assert one.estimate == plain.estimate
    mixed = [a if i % 2 else b for i, (a, b) in enumerate(zip(days("+14:00"), days("-12:00"), strict=True))]
    with pytest.raises(SpecError, match="several zones"):
        study(tmp_path, **keys, data=csv_of(tmp_path, **{**PANEL, "t": mixed}))


def test_weeks_are_dates_and_numbers_with_underscores_are_not(tmp_path):
    weeks = [f"2026-W{t:02d}" for t in PANEL["t"]]
    found = study(
        tmp_path, **{**DID, "treated_from": "2026-W05"}, data=csv_of(tmp_path, **{**PANEL, "t": weeks})
    )
    assert found.estimate == study(tmp_path, **DID, data=csv_of(tmp_path, **PANEL)).estimate
    with pytest.raises(SpecError, match="neither a number nor a date"):
        study(tmp_path, **DID, data=csv_of(tmp_path, **{**PANEL, "t": [f"2026_{t:02d}" for t in PANEL["t"]]}))


def test_rows_of_one_unit_without_a_cluster_are_told_and_cap_the_grade(tmp_path):
    data = csv_of(tmp_path, g=np.repeat(ARM, 3), y=np.repeat(Y, 3), who=np.repeat(np.arange(N), 3))
    found = study(tmp_path, **TRIAL, unit="who", data=data)
    assert verdicts(found)["repeated_units"] == "warn"
    assert found.grade == "modelled"
    named = study(tmp_path, **TRIAL, unit="who", cluster="who", data=data)
    assert named.grade == "randomised"
    assert named.se > 1.6 * found.se


@pytest.mark.parametrize("looks", [[1e-6, 1e-5, 1], [0.5, 1]])
def test_a_look_at_next_to_nothing_has_a_very_wide_interval(tmp_path, looks):
    found = study(tmp_path, **TRIAL, planned_units=10**9, looks=looks, data=csv_of(tmp_path, g=ARM, y=Y))
    assert found.high - found.low > 15 * found.se
    assert found.p_value is None
    assert found.reason


def test_columns_of_uplift_stay_names_in_json():
    assert b'"by":["ab"]' in json_of(Uplift("t-learner", ("ab",), 3))


def test_a_name_in_quotes_is_that_name_and_a_number_that_two_units_share_is_refused(tmp_path):
    rows = {**REGIONS, "u": np.array(["7", "007", *(f"s{i}" for i in range(2, 21))])[REGIONS["u"]]}
    data = csv_of(tmp_path, **rows)
    assert study(tmp_path, **{**REGION, "treated_units": ["007"]}, data=data).n_treated == 1
    with pytest.raises(SpecError, match=r"any of (7, 007|007, 7)"):
        study(tmp_path, **{**REGION, "treated_units": [7]}, data=data)


def test_a_plan_with_money_and_no_interval_says_that_there_is_no_return(tmp_path):
    data = csv_of(tmp_path, g=ARM, y=np.full(N, 0.1))
    found = study(tmp_path, **TRIAL, unit_value=2, data=data)
    assert found.roi is None
    assert verdicts(found)["roi_plausible"] == "not computable"
