"""Gates 5, 19, 22 and 23: the record of a study. Frozen baseline, states for what is undefined, the same digits, exact names."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from app.measure.studies.record import columns_of, pinned
from app.measure.studies.spec import Source, Spec
from metrics.attribution.record_gates import (
    Earlier,
    Frozen,
    baseline_frozen,
    literal_names,
    reproducibility,
    threads,
    undefined_figures,
)
from metrics.attribution.result import Answer, Diagnostic, Effect, PathPoint, Verdict
from tests.attribution.studies import csv_of, study

DAY = 86_400.0


def frozen(approved: float, looked: float) -> Frozen:
    return Frozen("base", "ab" * 32, approved * DAY, "2026-01-01 00:00", looked * DAY, "2026-01-03 00:00")


def test_a_baseline_approved_before_the_first_look_passes_and_one_approved_after_it_warns():
    before, after = (baseline_frozen(frozen(*times), rests=True) for times in ((0, 2), (2, 1.5)))
    assert (before.verdict, before.value, before.threshold) == (Verdict.PASS, 2.0, 0)
    assert "abababababab" in before.why
    assert (after.verdict, after.value) == (Verdict.WARN, -0.5)
    assert after.what_to_do


def test_where_no_baseline_is_named_the_freezing_is_not_computable_and_says_how_to_have_one():
    found = baseline_frozen(None, rests=True)
    assert (found.verdict, found.value) == (Verdict.UNKNOWN, None)
    assert "baseline: ID" in found.what_to_do
    assert "arms" in baseline_frozen(None, rests=False).why


def answer(effect: Effect, *checks: Diagnostic, path: tuple[PathPoint, ...] = ()) -> Answer:
    return Answer(effect, "mean", 4, 2, 2, 2.0, path=path, diagnostics=checks)


UNKNOWN = Diagnostic("pre_trend", None, 0.05, Verdict.UNKNOWN, "one period")


def test_an_undefined_figure_with_its_reason_is_a_state_and_passes():
    found = undefined_figures(answer(Effect(1.0, reason="no spread"), UNKNOWN))
    assert (found.verdict, found.value) == (Verdict.PASS, 0)
    assert "1 gates not computable" in found.why


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (answer(Effect(1.0, math.nan, 0.0, 2.0, 0.5)), "effect.se"),
        (answer(Effect(1.0)), "without a reason"),
        (answer(Effect(1.0, reason="r"), replace(UNKNOWN, value=0.0)), "pre_trend"),
        (answer(Effect(1.0, reason="r"), replace(UNKNOWN, why="")), "pre_trend"),
        (answer(Effect(1.0, reason="r"), path=(PathPoint(0.0, math.inf, None, None),)), "path 0"),
    ],
)
def test_a_figure_that_is_no_number_or_hides_that_it_is_undefined_blocks(broken: Answer, word: str):
    found = undefined_figures(broken)
    assert (found.verdict, found.value) == (Verdict.BLOCK, 1)
    assert word in found.why


def test_linear_algebra_runs_on_one_thread_while_a_study_is_computed_and_as_before_afterwards():
    before = [p.num_threads for p in ThreadpoolController().select(user_api="blas").lib_controllers]
    _, pools = pinned(lambda: answer(Effect(1.0)))
    assert pools
    assert set(pools.values()) == {1}
    assert [p.num_threads for p in ThreadpoolController().select(user_api="blas").lib_controllers] == before
    assert threads(pools).verdict is Verdict.PASS
    assert threads({"openblas": 4}).verdict is Verdict.WARN
    assert threads({}).verdict is Verdict.UNKNOWN


FIGURES = {"estimate": 1.5, "low": 1.0, "path[0].estimate": 0.25}


def test_the_first_run_has_nothing_to_be_compared_with_and_the_second_has():
    first = reproducibility(FIGURES, ("numpy 2",), None)
    assert (first.verdict, first.value, first.threshold) == (Verdict.UNKNOWN, None, 0)
    again = reproducibility(FIGURES, ("numpy 2",), Earlier("2026-01-01", dict(FIGURES), ("numpy 2",)))
    assert (again.verdict, again.value) == (Verdict.PASS, 0)
    assert "3 figures" in again.why


def test_other_digits_by_the_same_versions_block_and_by_other_versions_are_told():
    other = FIGURES | {"low": 1.0 + 1e-6}
    same = reproducibility(other, ("numpy 2",), Earlier("2026-01-01", FIGURES, ("numpy 2",)))
    assert (same.verdict, same.value) == (Verdict.BLOCK, 1)
    assert "low" in same.why
    newer = reproducibility(other, ("numpy 3",), Earlier("2026-01-01", FIGURES, ("numpy 2",)))
    assert newer.verdict is Verdict.WARN
    assert "numpy 2, numpy 3" in newer.why


def test_digits_beyond_the_ninth_are_told_and_do_not_block():
    other = {at: value * (1 + 3e-13) for at, value in FIGURES.items()}
    near = reproducibility(other, ("numpy 2",), Earlier("2026-01-01", FIGURES, ("numpy 2",)))
    assert near.verdict is Verdict.WARN
    assert "beyond the ninth digit" in near.why


def test_names_that_would_be_code_are_counted_and_found_letter_by_letter():
    names = ("C(y)", "__import__('os')", "lambda", "plain")
    found = literal_names(names, (*names, "other"))
    assert (found.verdict, found.value, found.threshold) == (Verdict.PASS, 4, 4)
    assert "3 would be code" in found.why
    gone = literal_names(("Sales",), ("sales",))
    assert (gone.verdict, gone.value) == (Verdict.WARN, 0)


def test_every_key_that_names_a_column_is_asked_for():
    spec = Spec(
        "n", "did", Source(), "higher_is_better", coding_confirmed=True, outcome="y", unit="u", covariates=("a", "b"), weight="w"
    )  # fmt: skip
    assert columns_of(spec) == ("y", "u", "w", "a", "b")


def test_a_misspelt_after_treatment_is_told(tmp_path):
    rng = np.random.default_rng(1)
    data = csv_of(tmp_path, arm=np.arange(60) % 2, y=rng.normal(size=60))
    keys = {"design": "randomised", "arm": "arm", "treated": 1, "control": 0, "outcome": "y", "data": data}
    found = {d.name: d for d in study(tmp_path, **keys, after_treatment=["z"]).diagnostics}
    assert found["literal_names"].verdict is Verdict.WARN
    assert "z" in found["literal_names"].why
    assert found["undefined_figures"].verdict is Verdict.PASS
    assert found["blas_threads"].verdict is Verdict.PASS
