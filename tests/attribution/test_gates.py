"""The 23 gates of the field notes, section 4: each is there, says what it measured, and blocks, caps or is told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.measure.studies.record import pinned, recorded
from metrics.attribution import gates
from metrics.attribution.grade import BLOCKED, MODELLED, MUST_PASS, NO_WARNING, grade
from metrics.attribution.record_gates import baseline_frozen, reproducibility
from metrics.attribution.result import Diagnostic, Verdict
from tests.attribution import nulls
from tests.cases import ROOT

# Gate: its diagnostics.
GATES: dict[int, tuple[str, ...]] = {
    1: ("coding_confirmed", "swapped_arms"),
    2: ("sample_ratio", "sample_ratio_by_stratum"),
    3: ("mixed_exposure",),
    4: ("balance", "undeclared_differences"),
    5: ("baseline_length", "baseline_frozen"),
    6: ("pre_trend", "pre_trend_equivalence"),
    7: ("clusters",),
    8: ("donors",),
    9: ("autocorrelation", "placebo_in_time"),
    10: ("placebo_in_space", "pre_fit", "weight_optimality", "convex_hull"),
    11: ("agreement",),
    12: ("sensitivity",),
    13: ("forbidden_comparisons",),
    14: ("regression_to_mean",),
    15: ("other_interventions",),
    16: ("peeking",),
    17: ("relative_vs_absolute",),
    18: ("cumulative",),
    19: ("undefined_figures",),
    20: ("roi_plausible",),
    21: ("spill_over",),
    22: ("reproducibility", "blas_threads"),
    23: ("literal_names",),
}
MORE = (
    "attrition", "repeated_units", "minimum_detectable_effect", "panel", "leave_one_out", "dispersion", "controls", "calibration",
)  # fmt: skip
# What a gate on the program rather than on one study rests on beside its diagnostic.
SHOWN_BY = {
    22: (
        "tests/attribution/test_kinds.py",
        "test_the_same_study_gives_the_same_bytes_whatever_the_hash_seed",
    ),
    23: ("tests/attribution/test_gates.py", "test_no_name_of_a_column_is_ever_evaluated"),
}
# What a warning does to the grade, by design; what is not named is told beside the number and leaves its grade.
CAPS = {
    "randomised": {"sample_ratio", "balance", "undeclared_differences"},
    "did": {"baseline_length", "pre_trend", "sensitivity", "clusters"},
    "staggered": {"baseline_length", "pre_trend", "sensitivity", "clusters"},
    "synthetic_control": {
        "baseline_length", "donors", "pre_fit", "weight_optimality", "agreement", "placebo_in_time",
    },
    "interrupted_series": {"baseline_length", "autocorrelation", "placebo_in_time"},
}  # fmt: skip
CAP_ALL = {
    "panel", "mixed_exposure", "repeated_units", "attrition", "other_interventions", "spill_over", "peeking",
    "regression_to_mean", "calibration",
}  # fmt: skip


KINDS = (
    nulls.stratified, nulls.adjusted, nulls.clustered, nulls.did_half, nulls.staggered_many, nulls.synthetic_one,
    nulls.series_white, nulls.counts, nulls.followed_white,
)  # fmt: skip


def found() -> dict[str, list[Diagnostic]]:
    """The diagnostics of studies of all designs, by name."""
    held: dict[str, list[Diagnostic]] = {}
    for seed, make in enumerate(KINDS):
        asked, rows = make(np.random.default_rng(seed))
        answer, pools = pinned(lambda s=(asked, rows), at=seed: nulls.answer(s, at))
        for one in (*answer.diagnostics, *recorded(asked, rows, answer, pools)):
            held.setdefault(one.name, []).append(one)
    for more in (
        baseline_frozen(None, rests=True),
        reproducibility({}, (), None),
        gates.repeated_units(9, 3, "u"),
    ):
        held.setdefault(more.name, []).append(more)
    for roi in (0.5, 30.0, None):
        held.setdefault("roi_plausible", []).append(gates.relevant_roi(roi))
    return held


def test_all_gates_are_there_and_each_says_what_it_saw_and_what_to_do():
    held = found()
    assert sorted(GATES) == list(range(1, 24))
    named = {name for names in GATES.values() for name in names}
    assert named <= {*held}
    assert {*held} <= {*named, *MORE}
    for one in itertools.chain.from_iterable(held.values()):
        assert one.why, one
        assert one.what_to_do or one.verdict in (Verdict.PASS, Verdict.UNKNOWN), one
        assert one.value is not None or one.verdict in (Verdict.PASS, Verdict.UNKNOWN), one
    assert any(
        one.verdict is Verdict.UNKNOWN for one in itertools.chain.from_iterable(held.values())
    )  # gate 19
    for path, test in SHOWN_BY.values():
        assert f"def {test}(" in (ROOT / path).read_text()


def verdicts(design: str, **changed: Verdict) -> tuple[Diagnostic, ...]:
    held = {group[0]: Verdict.PASS for group in MUST_PASS[design]} | changed
    return tuple(Diagnostic(name, None, None, verdict, "") for name, verdict in held.items())


@pytest.mark.parametrize("design", list(MUST_PASS))
def test_a_block_blocks_a_warning_caps_what_it_must_and_a_gap_never_raises_a_grade(design: str):
    best = grade(design, verdicts(design))
    assert best not in (BLOCKED, MODELLED)
    for name in {*itertools.chain.from_iterable(GATES.values()), *MORE}:
        assert grade(design, verdicts(design, **{name: Verdict.BLOCK})) == BLOCKED
        capped = name in CAPS[design] or name in CAP_ALL
        assert grade(design, verdicts(design, **{name: Verdict.WARN})) == (MODELLED if capped else best), name
    for group in MUST_PASS[design]:
        assert grade(design, verdicts(design, **{group[0]: Verdict.UNKNOWN})) == MODELLED
    assert set(NO_WARNING) == CAP_ALL


def test_no_name_of_a_column_is_ever_evaluated():
    """Gate 23: no formula strings. Columns are looked up by name; nothing in these rooms turns text into code."""
    for room in ("metrics/attribution", "app/measure/studies"):
        for path in (ROOT / room).glob("*.py"):
            text = path.read_text()
            assert not any(
                word in text for word in ("eval(", "exec(", "patsy", "formula.api", "from_formula")
            ), path


def test_a_column_named_like_code_is_a_column(tmp_path):
    from tests.attribution.studies import csv_of, study

    names = ("__import__('os').abort()", "C(y)", "I(1/0)")
    rng = np.random.default_rng(2)
    arm, y, before = np.arange(80) % 2, rng.normal(size=80), rng.normal(size=80)
    data = csv_of(tmp_path, **dict(zip(names, (arm, y, before), strict=True)))
    keys = {"design": "randomised", "arm": names[0], "treated": 1, "control": 0, "expected_split": 0.5}
    result = study(tmp_path, **keys, outcome=names[1], pre_outcome=names[2], data=data)
    assert result.grade == "randomised"
    assert abs(result.estimate) < 1
