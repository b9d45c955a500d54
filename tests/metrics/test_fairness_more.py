import numpy as np
import pandas as pd
import pytest

from app.measure.contrasts import HIDDEN
from metrics import ALL
from metrics._fairness_intersections import INTERSECTIONS
from metrics._model_rollups import SCORES
from metrics.core.delong import independent
from metrics.core.discrimination import rank
from metrics.core.metric import INTERSECTION, Scope
from tests.metrics.homes import loaded_into
from tests.metrics.rows import NONE, labels, predictions, slices


def people(n: int = 3000) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(1)
    raw = pd.DataFrame(
        {"sex": rng.choice(["f", "m"], n), "age": rng.choice(["old", "young"], n, p=[0.3, 0.7])}
    )
    raw["y"] = rng.integers(0, 2, n)
    raw["s"] = np.clip(0.3 * raw.y + rng.uniform(0, 0.7, n) + 0.1 * (raw.sex == "m"), 0, 1)
    raw["d"] = (raw.s > np.where((raw.sex == "f") & (raw.age == "old"), 0.8, 0.5)).astype(int)
    frame = predictions(list(raw.s), decision=list(raw.d), attr_sex=list(raw.sex), attr_age=list(raw.age))
    return raw, frame, labels(list(raw.y))


def test_intersections_are_the_groups_of_both_attributes():
    raw, frame, known = people()
    found = slices(INTERSECTIONS, by=("attributes", INTERSECTION), predictions=frame, labels=known)
    assert {k[0] for k in found} == {"age x sex"}
    for (age, sex), rows in raw.groupby(["age", "sex"]):
        cells = found[("age x sex", f"age {age}, sex {sex}")]
        assert (cells.decided, cells.flagged, cells.tp) == (
            len(rows),
            rows.d.sum(),
            ((rows.d == 1) & (rows.y == 1)).sum(),
        )


def test_a_person_without_an_attribute_is_in_no_intersection_and_one_attribute_stands_alone():
    frame = predictions([0.5] * 4, decision=1, attr_sex=["f", "m", None, "f"])
    found = slices(INTERSECTIONS, by=(INTERSECTION,), predictions=frame, labels=labels([1, 0, 1, 1]))
    assert {k[0]: v.total for k, v in found.items()} == {"sex f": 2, "sex m": 1}
    none = slices(INTERSECTIONS, predictions=predictions([0.5]), labels=labels([1]))
    assert not none


def test_gaps_of_ranking_and_of_honesty_are_those_of_the_raw_rows():
    raw, frame, known = people()
    cells = slices(SCORES, by=("attr_sex",), predictions=frame, labels=known)
    parts = {k: raw[raw.sex == k] for k in ("f", "m")}
    metric = ALL["fairness.auc_difference"]
    found = metric.contrast.compare(cells[("f",)], cells[("m",)], NONE)
    exact = independent(*(rank(*(np.bincount(np.unique(p.s, return_inverse=True)[1], v) for v in (p.y, 1 - p.y)))
                          for p in parts.values()))  # fmt: skip
    assert found.value == pytest.approx(exact.value, abs=1e-3)
    gap = ALL["fairness.calibration_difference"].contrast.compare(cells[("f",)], cells[("m",)], NONE)
    over = {k: p.s - p.y for k, p in parts.items()}
    value = over["f"].mean() - over["m"].mean()
    se = np.sqrt(sum(o.var(ddof=1) / len(o) for o in over.values()))
    assert (gap.value, gap.high) == pytest.approx((value, value + 1.959964 * se), abs=1e-6)
    assert gap.high < 0  # the scores of m are 0.1 too high


def csv_of(frame: pd.DataFrame) -> str:
    return frame.assign(predicted_at="2026-03-01T12:00:00Z").to_csv(index=False)


def test_small_intersections_are_hidden_and_so_is_the_one_that_would_give_them_away(tmp_path):
    group = ["f"] * 40 + ["m"] * 40 + ["f"] * 3 + ["m"] * 20
    age = ["old"] * 40 + ["old"] * 40 + ["young"] * 3 + ["young"] * 20
    frame = predictions([0.5] * 103, decision=[i % 2 for i in range(103)], attr_sex=group, attr_age=age)
    runtime = loaded_into(tmp_path / "home", {"predictions": csv_of(frame)}, [INTERSECTIONS])
    metric = ALL["fairness.intersection_four_fifths"]
    found = runtime.readings.read(metric, Scope(by=(INTERSECTION,)))
    reasons = {dict(r.by)[INTERSECTION]: r.reason for r in found}
    assert reasons["age young, sex f"] == HIDDEN
    assert reasons["age young, sex m"] == HIDDEN
    worst = runtime.readings.read(metric, Scope())[0]
    assert dict(worst.by)[INTERSECTION] == "age old, sex m" or worst.value is not None


def test_a_group_without_one_class_says_so():
    frame = predictions([0.1, 0.9, 0.2, 0.8], attr_sex=["f", "f", "m", "m"])
    cells = slices(SCORES, by=("attr_sex",), predictions=frame, labels=labels([0, 1, 1, 1]))
    found = ALL["fairness.auc_difference"].contrast.compare(cells[("f",)], cells[("m",)], NONE)
    assert found.reason.startswith("the reference group: no negative outcome")
