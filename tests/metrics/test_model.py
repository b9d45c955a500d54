import csv
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import brier_score_loss, log_loss, precision_score, recall_score, roc_auc_score

from app.measure.slices import cut
from metrics import ALL
from metrics._model_rollups import BINS, SCORES
from metrics.core.shapes import columns_of
from metrics.model import METRICS, reliability, roc, score_histogram
from tests.cases import CASES, needs_cases
from tests.metrics.rows import NONE, estimate, labels, predictions, slices

NINE = 1e-9
AUC, EXACT, BOUND = (ALL[f"model.{k}"] for k in ("auc", "auc_exact", "auc_bound"))


def of(key: str, score, y, **columns):
    return estimate(ALL[f"model.{key}"], predictions=predictions(score, **columns), labels=labels(y))


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[float], list[int | None], list[int | None]]:
    """Scores with ties and extremes; labels, some missing; decisions, some missing."""
    score = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 1e-300, 0.1, 0.3, 0.9, 1 - 1e-16]))
    row = st.tuples(score, st.sampled_from([0, 1, 1, None]), st.sampled_from([0, 1, None]))
    rows = draw(st.lists(row, min_size=1, max_size=60))
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


@settings(max_examples=40)
@given(scored())
def test_every_figure_equals_scikit_learn_from_the_raw_rows(data):
    score, y, decision = data
    frames = {
        "predictions": predictions(score, decision=decision), "labels": labels(y),
    }  # fmt: skip
    cells = slices(SCORES, **frames)[()]
    found = {m.key: m.finalise(cells, NONE) for m in METRICS if m.rollup is SCORES and m.finalise}
    known = [i for i, v in enumerate(y) if v is not None]
    s, t = np.array([score[i] for i in known]), np.array([y[i] for i in known])
    assert found["model.predictions"].value == len(score)
    assert found["model.label_coverage"].value == pytest.approx(len(known) / len(score))
    if len(known) >= 2:
        assert found["model.brier"].value == pytest.approx(
            brier_score_loss(t, s, pos_label=1), rel=NINE, abs=1e-15
        )
        inside = s * (1 - 2e-15) + 1e-15
        assert found["model.log_loss"].value == pytest.approx(log_loss(t, inside, labels=[0, 1]), rel=1e-7)
        assert found["model.calibration_in_the_large"].value == pytest.approx(s.mean() - t.mean(), abs=1e-12)
    if len(set(t)) == 2:
        auc, h = found["model.auc"], found["model.auc_bound"].value
        exact = roc_auc_score(t, s)
        assert abs(auc.value - exact) <= h + 1e-12
        assert auc.low - 1e-12 <= exact <= auc.high + 1e-12
        assert estimate(EXACT, **frames).value == pytest.approx(exact, abs=1e-12)
    else:
        assert found["model.auc"].value is None
        assert "outcome" in found["model.auc"].reason
    for e in found.values():
        assert e.value is not None or e.reason
        assert e.low is None or e.low <= e.value <= e.high


@settings(max_examples=20)
@given(scored())
def test_precision_and_recall_equal_scikit_learn_at_the_recorded_decision(data):
    score, y, decision = data
    kept = [i for i in range(len(y)) if y[i] is not None and decision[i] is not None]
    t, d = [y[i] for i in kept], [decision[i] for i in kept]
    found = {k: of(k, score, y, decision=decision) for k in ("precision", "recall")}
    if sum(d):
        assert found["precision"].value == pytest.approx(precision_score(t, d))
    else:
        assert "no flagged prediction" in found["precision"].reason
    if sum(t):
        assert found["recall"].value == pytest.approx(recall_score(t, d))
    else:
        assert "no positive outcome" in found["recall"].reason


def test_the_recorded_decision_counts_before_the_threshold():
    score, y = [0.9, 0.9, 0.2, 0.2], [1, 1, 0, 0]
    assert of("flagged_share", score, y, threshold=0.5).value == 0.5
    assert of("flagged_share", score, y, threshold=0.5, decision=[1, 1, 1, 0]).value == 0.75
    assert of("flagged_share", [0.5, 0.4], [1, 0], threshold=0.5).value == 0.5  # at the threshold is flagged
    none = of("flagged_share", score, y)
    assert none.value is None
    assert "decision or a threshold" in none.reason


@needs_cases
@pytest.mark.parametrize("column", ["wfns", "ndka", "s100b"])
def test_asah_is_exact_from_the_warehouse_and_within_h_from_the_histogram(column):
    published = {"wfns": 0.823678861788618, "ndka": 0.611957994579946, "s100b": 0.731368563685637}[column]
    with (CASES / "models/aSAH.csv").open() as f:
        rows = list(csv.DictReader(f))
    score = np.array([float(r[column]) for r in rows])
    y = [int(r["outcome"] == "Poor") for r in rows]
    raw = of("auc_exact", list(score), y)  # any finite score ranks
    inside = of("auc_exact", list(score / (1 + score)), y)
    assert raw.value == pytest.approx(published, abs=NINE)
    assert (inside.value, inside.low, inside.high) == (raw.value, raw.low, raw.high)
    binned, h = of("auc", list(score / (1 + score)), y), of("auc_bound", list(score / (1 + score)), y)
    assert abs(binned.value - published) <= h.value
    outside = of("auc", list(score + 1.5), y)
    assert outside.value is None
    assert outside.warnings == ("113 labelled predictions without a score in [0, 1] are left out",)


@needs_cases
def test_tied_scores_get_half_a_win():
    with (CASES / "models/p10n10.csv").open() as f:
        rows = list(csv.DictReader(f))
    found = of("auc_exact", [float(r["score"]) for r in rows], [int(r["label"]) for r in rows])
    assert found.value == pytest.approx(0.72, abs=NINE)


def test_the_documented_examples_of_scikit_learn():
    assert of("auc", [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value == 0.75
    assert of("brier", [0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]).value == pytest.approx(0.0375)


def test_a_rare_event_model_is_within_its_bound_and_the_bound_is_small():
    rng = np.random.default_rng(10)
    n = 60_000
    logit = rng.normal(-8.2, 1.6, n)
    y = rng.binomial(1, expit(logit))
    assert 0.0005 < y.mean() < 0.002
    exact, found = roc_auc_score(y, logit), of("auc", list(expit(logit)), list(y))
    h = of("auc_bound", list(expit(logit)), list(y)).value
    assert abs(found.value - exact) <= h < 2e-3


@pytest.mark.parametrize(
    ("key", "y", "why"),
    [
        ("auc", [0, 0, 0], "no positive outcome among 3 labelled predictions"),
        ("auc", [1, 1, 1], "no negative outcome among 3 labelled predictions"),
        ("auc", [None, None, None], "no outcome has arrived yet"),
        ("auc_bound", [1, 1, 1], "no negative outcome among 3 labelled predictions"),
        ("brier", [None, None, None], "no outcome has arrived yet"),
        ("brier", [1, None, None], "one labelled prediction only"),
        ("log_loss", [None, None, None], "no outcome has arrived yet"),
        ("calibration_slope", [None, None, None], "no outcome has arrived yet"),
        ("calibration_slope", [0, 0, 0], "no positive outcome among 3 labelled predictions"),
        ("base_rate", [None, None, None], "no outcome has arrived yet for 3 predictions"),
    ],
)
def test_what_does_not_exist_says_why(key, y, why):
    found = of(key, [0.2, 0.5, 0.7], y)
    assert found.value is None
    assert why in found.reason


def test_unusable_scores_are_counted_apart_and_never_enter_a_figure():
    bad = [float("nan"), float("inf"), -float("inf"), 1.5, -0.1]
    frame = predictions([0.1, 0.4, 0.35, 0.8, *bad, None], threshold=0.5)
    frames = {"predictions": frame, "labels": labels([0, 0, 1, 1, 1, 1, 0, 0, 1, 1])}
    found = estimate(ALL["model.unusable_scores"], **frames)
    assert (found.numerator, found.denominator) == (6, 10)
    assert found.warnings == ("1 missing", "3 not finite", "2 outside [0, 1]")
    auc = estimate(AUC, **frames)
    assert (auc.value, auc.n) == (0.75, 4)
    assert auc.warnings[0] == "6 labelled predictions without a score in [0, 1] are left out"
    flagged = estimate(ALL["model.flagged_share"], **frames)
    assert flagged.denominator == 6  # no decision is made up for a score that is missing or not finite
    assert estimate(ALL["model.brier"], **frames).value == pytest.approx(np.mean([0.01, 0.16, 0.4225, 0.04]))


def test_negative_zero_and_one_lie_in_the_outer_bins():
    cells = slices(SCORES, predictions=predictions([-0.0, 0.0, 1.0, 1.0]), labels=labels([0, 1, 1, 0]))[()]
    assert list(np.unique(cells.bin)) == [0, 10 * BINS - 1]
    found = of("auc_exact", [-0.0, 0.0, 1.0, 1.0], [0, 1, 1, 0])
    assert found.value == 0.5


def test_groups_are_ranked_apart_by_the_exact_query():
    rng = np.random.default_rng(11)
    y, race = rng.integers(0, 2, 500), rng.choice(["a", "b", None], 500)
    score = np.round(rng.uniform(size=500) + 0.1 * y, 2) / 1.1
    frames = {"predictions": predictions(list(score), attr_race=race), "labels": labels(list(y))}
    for (group,), cells in slices(EXACT.rollup, by=("attr_race",), **frames).items():
        at = pd.isna(race) if group is None else race == group
        assert EXACT.finalise(cells, NONE).value == pytest.approx(roc_auc_score(y[at], score[at]), abs=1e-12)
    one = slices(
        EXACT.rollup,
        by=("attr_race",),
        predictions=predictions([0.1, 0.2], attr_race="a"),
        labels=labels([1, 1]),
    )
    assert EXACT.finalise(one[("a",)], NONE).reason == "no negative outcome among 2 labelled predictions"


def test_an_exact_answer_refuses_to_be_merged():
    rows = {c: np.array([1.0, 2.0]) for c in columns_of(EXACT.rollup.shapes)}
    with pytest.raises(ValueError, match="cannot be merged"):
        EXACT.rollup.cells(rows)


@settings(max_examples=15)
@given(scored(), st.integers(2, 5), st.randoms())
def test_cells_split_shuffled_and_merged_give_the_same_figures(data, parts, random):
    score, y, _ = data
    frame, label = predictions(score, threshold=0.5), labels(y)
    whole = slices(SCORES, predictions=frame, labels=label)[()]
    group = np.array([random.randrange(parts) for _ in score])
    pieces = slices(
        SCORES, by=("model_version",), predictions=frame.assign(model_version=group.astype(str)), labels=label
    )
    columns = {
        c: np.concatenate([getattr(p, c) for p in pieces.values()])[::-1]
        for c in ("bin", "decision", "label", *columns_of(SCORES.shapes))
    }
    merged = SCORES.cells(cut(columns, (), SCORES.inner, SCORES.shapes)[0].columns)
    for m in METRICS:
        if m.rollup is SCORES and m.finalise:
            a, b = m.finalise(whole, NONE), m.finalise(merged, NONE)
            assert (a.n, a.reason, a.warnings) == (b.n, b.reason, b.warnings)
            for x, z in ((a.value, b.value), (a.low, b.low), (a.high, b.high)):
                assert (x is None) == (z is None)
                assert x is None or x == pytest.approx(z, rel=1e-6, abs=1e-9)


@settings(max_examples=20)
@given(scored())
def test_the_charts_tell_the_same_story_as_the_figures(data):
    score, y, _ = data
    cells = slices(SCORES, predictions=predictions(score), labels=labels(y))[()]
    bins, curve, diagram = score_histogram(cells), roc(cells), reliability(cells)
    assert (bins.positives.sum(), bins.negatives.sum(), bins.unlabelled.sum()) == (
        y.count(1),
        y.count(0),
        y.count(None),
    )
    assert (np.diff(bins.score) >= 0).all()
    assert ((bins.score > 0) & (bins.score < 1)).all()
    known = np.array([v is not None for v in y])
    tenths = np.minimum((np.array(score) * 10).astype(int), 9)[known]
    assert list(diagram.n) == [n for n in np.bincount(tenths, minlength=10) if n]
    assert ((diagram.low <= diagram.observed) & (diagram.observed <= diagram.high)).all()
    if {0, 1} <= set(y):
        area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
        assert area == pytest.approx(AUC.finalise(cells, NONE).value)
    else:
        assert len(curve.true_positive_rate) == 0


def test_a_confident_wrong_answer_costs_what_scikit_learn_says():
    found = of("log_loss", [1.0, 0.0], [0, 1])
    assert found.value == pytest.approx(-math.log(1e-15), rel=1e-3)
    assert found.low <= found.value <= found.high
