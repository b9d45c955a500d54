import functools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from metrics import ALL
from metrics._fairness_rates import DECISIONS, RATES, Confusion
from metrics.core.intervals import newcombe
from metrics.core.metric import Estimate
from tests.cases import CASES, needs_cases
from tests.metrics.rows import NONE, labels, predictions, slices

AEQUITAS = {
    "fpr": "false_positive_rate",
    "fnr": "false_negative_rate",
    "pprev": "selection_rate",
    "precision": "precision",
}
GROUP = Confusion(tp=30, fp=20, fn=10, tn=40, flagged=50, decided=100, total=100)


@functools.cache
def compas() -> pd.DataFrame:
    return pd.read_csv(CASES / "models/compas_two_years.csv")


@functools.cache
def compas_groups(by: str = "race") -> dict[str, Confusion]:
    rows = compas()
    frame = predictions(
        list(rows.decile_score / 10),
        decision=list(rows.pred_high),
        attr_race=list(rows.race),
        attr_sex=list(rows.sex),
    )
    found = slices(DECISIONS, by=(f"attr_{by}",), predictions=frame, labels=labels(list(rows.two_year_recid)))
    return {k[0]: v for k, v in found.items()}


def published() -> dict:
    return next(c for c in json.loads((CASES / "models/cases.json").read_text()) if c["id"] == "compas")


def rate(name: str, cells: Confusion) -> Estimate:
    return ALL[f"fairness.{name}"].finalise(cells, NONE)


def against(name: str, group: Confusion, reference: Confusion) -> Estimate:
    metric = ALL[f"fairness.{name}"]
    return metric.contrast.compare(group, reference, metric.choice(()))


@st.composite
def confusions(draw: st.DrawFn) -> Confusion:
    tp, fp, fn, tn, more, lost = (draw(st.integers(0, 40)) for _ in range(6))
    flagged = tp + fp + draw(st.integers(0, more))
    return Confusion(tp, fp, fn, tn, flagged, flagged + fn + tn + more, flagged + fn + tn + more + lost)


@needs_cases
def test_propublicas_table_by_race():
    for group, table in published()["published"]["truth_tables"].items():
        cells = compas_groups().get(group)
        if group == "All":
            parts = compas_groups().values()
            cells = Confusion(*(sum(getattr(p, f) for p in parts) for f in Confusion.__dataclass_fields__))
        assert (cells.tn, cells.fp, cells.fn, cells.tp) == tuple(table[k] for k in ("tn", "fp", "fn", "tp"))
        assert 100 * rate("false_positive_rate", cells).value == pytest.approx(table["fpr"], abs=0.006)
        assert 100 * rate("false_negative_rate", cells).value == pytest.approx(table["fnr"], abs=0.006)
        assert rate("precision", cells).value == pytest.approx(table["ppv"], abs=0.006)


@needs_cases
def test_aequitas_disparities_against_one_group():
    groups, case = compas_groups(), published()
    for group, values in case["published"]["aequitas_disparity_vs_Caucasian"].items():
        for short, name in AEQUITAS.items():
            found = against(f"{name}_ratio", groups[group], groups["Caucasian"])
            if short in values:
                assert found.value == pytest.approx(values[short], abs=1e-6), (group, name)
            computed = case["computed_disparity_vs_Caucasian"][group][f"{short}_disparity"]
            assert found.value == pytest.approx(computed, abs=1e-12)
            assert found.low < found.value < found.high


@needs_cases
def test_the_gap_in_false_positives_has_newcombes_interval():
    gap = published()["computed_fpr_gap_AA_minus_C"]
    found = against(
        "false_positive_rate_difference", compas_groups()["African-American"], compas_groups()["Caucasian"]
    )
    assert found.value == pytest.approx(gap["diff"], abs=1e-12)
    assert (found.low, found.high) == pytest.approx(gap["newcombe95"], abs=1e-9)


@needs_cases
def test_cells_by_sex_equal_a_pandas_crosstab():
    rows = compas()
    for group, cells in compas_groups("sex").items():
        part = rows[rows.sex == group]
        tn, fp, fn, tp = confusion_matrix(part.two_year_recid, part.pred_high).ravel()
        assert (cells.tn, cells.fp, cells.fn, cells.tp) == (tn, fp, fn, tp)


def test_unlabelled_rows_count_for_the_selection_rate_only():
    frame = predictions([0.9, 0.9, 0.1, 0.1, 0.1], threshold=0.5)
    cells = slices(DECISIONS, predictions=frame, labels=labels([1, None, 0, None, None]))[()]
    assert (cells.flagged, cells.decided, cells.total) == (2, 5, 5)
    assert rate("selection_rate", cells).value == 0.4
    assert rate("false_positive_rate", cells).denominator == 1
    assert rate("precision", cells).denominator == 1


def test_rows_without_a_decision_are_left_out_and_said():
    cells = slices(DECISIONS, predictions=predictions([0.9, 0.1]), labels=labels([1, 0]))[()]
    found = rate("selection_rate", cells)
    assert found.value is None
    assert found.reason == "no decision or threshold among 2 predictions of the group"
    assert found.warnings == ("2 predictions have neither a decision nor a threshold and are left out",)


@given(confusions())
def test_every_rate_is_a_count_over_a_count_in_wilsons_interval(cells):
    for r in RATES:
        found, (k, n) = rate(r.name, cells), r.parts(cells)
        if n == 0:
            assert found.value is None
            assert found.reason.startswith("no ")
            continue
        assert (found.value, found.numerator, found.denominator, found.n) == (k / n, k, n, n)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high
    if cells.tp + cells.fn:
        assert rate("true_positive_rate", cells).value + rate(
            "false_negative_rate", cells
        ).value == pytest.approx(1)


@given(confusions(), confusions())
def test_differences_and_ratios_follow_from_the_two_rates(group, reference):
    for r in RATES:
        (k1, n1), (k2, n2) = r.parts(group), r.parts(reference)
        gap, ratio = (against(f"{r.name}_{what}", group, reference) for what in ("difference", "ratio"))
        if n1 == 0 or n2 == 0:
            assert gap.value is None
            assert ratio.reason == gap.reason
            assert ("reference group" in gap.reason) == (n1 > 0)
            continue
        expected = newcombe(k1, n1, k2, n2)
        assert (gap.value, gap.low, gap.high) == (expected.value, expected.low, expected.high)
        assert gap.n == ratio.n == n1 + n2
        if k2 == 0:
            assert "has no bound" in ratio.reason
        else:
            assert ratio.value == pytest.approx(ratio.numerator / ratio.denominator)
            assert ratio.low <= ratio.value <= ratio.high


def test_the_four_fifths_rule_compares_with_the_group_selected_most():
    contrast = ALL["fairness.four_fifths"].contrast
    often = Confusion(0, 0, 0, 0, flagged=60, decided=100, total=100)
    large = Confusion(0, 0, 0, 0, flagged=2000, decided=5000, total=5000)
    handful = Confusion(0, 0, 0, 0, flagged=9, decided=9, total=9)
    assert max((often, large, handful), key=contrast.size) == often
    assert contrast.size(handful) == 9  # still seen as small by the rule that hides small cells
    found = against("four_fifths", large, often)
    assert found.value == pytest.approx(0.4 / 0.6)
    assert found.high < 0.8
    assert contrast.badness(0.5) > contrast.badness(0.9)


def test_the_worst_ratio_is_the_one_furthest_from_even_either_way():
    badness = ALL["fairness.false_positive_rate_ratio"].contrast.badness
    assert badness(0.5) == badness(2.0) > badness(1.5) > badness(1.0)
    assert badness(0.0) == float("inf")
    assert ALL["fairness.precision_difference"].contrast.badness(-0.3) == 0.3


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 1), st.sampled_from([0, 1, None])),
        min_size=1,
        max_size=60,
    )
)
def test_cells_equal_pandas_from_the_raw_rows_in_any_order(rows):
    frame = pd.DataFrame(rows, columns=["group", "decision", "label"])
    for shown in (frame, frame.iloc[::-1].reset_index(drop=True)):
        given_ = predictions([0.5] * len(shown), decision=list(shown.decision), attr_g=list(shown.group))
        label = [None if np.isnan(v) else int(v) for v in shown.label.astype(float)]
        for (group,), cells in slices(
            DECISIONS, by=("attr_g",), predictions=given_, labels=labels(label)
        ).items():
            part = frame[frame.group == group]
            assert (cells.decided, cells.flagged) == (len(part), part.decision.sum())
            assert cells.fp == ((part.decision == 1) & (part.label == 0)).sum()
            assert cells.fn == ((part.decision == 0) & (part.label == 1)).sum()
