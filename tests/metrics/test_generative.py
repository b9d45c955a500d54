import datetime as dt

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from data import schema
from data.sql import Facts, Span
from metrics._generative_reviews import VERDICTS
from metrics.core.agreement import (
    RateSeen,
    Weighted,
    effective,
    kappa,
    krippendorff,
    prediction_powered,
    rogan_gladen,
    rogan_gladen_within,
    weighted_rate,
)
from metrics.core.intervals import wilson
from metrics.generative import METRICS
from tests.cases import SOAK
from tests.metrics.homes import brought_up, loaded_into
from tests.metrics.rows import DAY, NONE, slices

ALL = {m.key.removeprefix("generative."): m for m in METRICS}
RUNS = 2000 if SOAK else 250


def reviews(rows) -> pd.DataFrame:
    """Rows of (item, reviewer type, verdict[, weight[, rubric[, time]]])."""
    full = [(*r, *(1.0, "hallucination", DAY)[len(r) - 3 :]) for r in rows]
    frame = pd.DataFrame(
        full, columns=["item_id", "reviewer_type", "verdict", "weight", "rubric", "reviewed_at"]
    )
    return frame.assign(review_id=[str(i) for i in range(len(full))], model_id="m", stratum=None)


def figures(rows):
    cells = slices(VERDICTS, reviews=reviews(rows))[()]
    return {k: m.finalise(cells, NONE) for k, m in ALL.items()}


def like(*groups: tuple[int, float, float]) -> Weighted:
    """Groups of (items, weight of each, value)."""
    n, w, v = (np.array(x, dtype=float) for x in zip(*groups, strict=True))
    return Weighted(n, n * w, n * w * w, v)


# ----- rates -----


def test_a_rate_of_equal_weights_is_wilsons():
    rows = [(f"i{k}", "human", int(k < 7)) for k in range(100)]
    found = figures(rows)["hallucination_rate"]
    low, high = proportion_confint(7, 100, method="wilson")
    assert (found.value, found.low, found.high, found.n) == pytest.approx((0.07, low, high, 100))


def test_weights_undo_the_sampling_of_risky_strata():
    rng = np.random.default_rng(1)
    runs, inside = RUNS, 0
    truth = 0.9 * 0.02 + 0.1 * 0.2
    for _ in range(runs):
        a, b = rng.binomial(300, 0.02), rng.binomial(300, 0.2)
        items = like((a, 1.8, 1), (300 - a, 1.8, 0), (b, 0.2, 1), (300 - b, 0.2, 0))
        found = weighted_rate(items)
        inside += found.low <= truth <= found.high
    assert inside / runs >= (0.93 if SOAK else 0.9)
    assert items.mean < 0.08  # the plain share would be 0.11


def test_several_reviewers_of_one_item_count_as_one_item():
    rows = [("a", "human", 1), ("a", "human", 0), ("b", "human", 0), ("c", "human", 1)]
    found = figures(rows)["hallucination_rate"]
    assert (found.value, found.n) == (0.5, 3)


def test_rubrics_and_reviewers_are_never_mixed():
    rows = [("a", "human", 1), ("b", "human", 0), ("a", "judge", 0), ("c", "judge", 1),
            ("a", "human", 1, 1.0, "override"), ("b", "human", 1, 1.0, "override")]  # fmt: skip
    found = figures(rows)
    assert (found["hallucination_rate"].value, found["override_rate"].value) == (0.5, 1.0)
    assert "no human has reviewed an item" in found["groundedness_rate"].reason


# ----- the judge -----


def test_kappa_and_its_interval_equal_statsmodels_and_scikit_learn():
    rng = np.random.default_rng(2)
    human = rng.integers(0, 2, 150)
    judge = np.where(rng.random(150) < 0.8, human, 1 - human)
    found = figures(
        [(str(i), "human", int(h)) for i, h in enumerate(human)]
        + [(str(i), "judge", int(j)) for i, j in enumerate(judge)]
    )
    one = found["judge_kappa"]
    table = np.array([[np.sum((human == a) & (judge == b)) for b in (1, 0)] for a in (1, 0)])
    theirs = cohens_kappa(table)
    assert one.value == pytest.approx(cohen_kappa_score(human, judge))
    assert (one.low, one.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=1e-9)
    assert found["judge_sensitivity"].value == pytest.approx(judge[human == 1].mean())
    assert found["judge_specificity"].value == pytest.approx(1 - judge[human == 0].mean())


def test_raters_who_always_say_the_same_have_no_kappa():
    assert kappa(0, 0, 0, 9) is None
    assert (
        "agreement by chance is certain"
        in figures([("a", "human", 0), ("a", "judge", 0)])["judge_kappa"].reason
    )


def simulated(rng, n, read, rate, se, sp):
    """Items of a judge, of which the first `read` were read by a human."""
    truth = rng.random(n) < rate
    judge = np.where(truth, rng.random(n) < se, rng.random(n) >= sp)
    return truth[:read], judge[:read], judge


@pytest.mark.parametrize(("rate", "n", "read"), [(0.3, 2000, 500), (0.05, 6000, 2000)])
def test_the_corrected_rate_covers_the_truth_and_the_raw_rate_does_not(rate, n, read):
    rng = np.random.default_rng(3)
    corrected, powered, raw = 0, 0, 0
    for _ in range(RUNS):
        human, there, judge = simulated(rng, n, read, rate, 0.8, 0.95)
        rest = judge[read:]
        seen = RateSeen(float(rest.mean()), n - read)
        parts = (
            RateSeen(float(there[human].mean()), human.sum()),
            RateSeen(1 - float(there[~human].mean()), (~human).sum()),
        )
        one = rogan_gladen_within(wilson(int(human.sum()), read), read / n, seen, *parts)
        assert one is not None
        whole = rogan_gladen(RateSeen(float(judge.mean()), n), *parts)
        assert one.value == pytest.approx(whole.value)
        corrected += one.low <= rate <= one.high
        pairs = [
            (int(np.sum((human == h) & (there == j))), h, j) for h in (True, False) for j in (True, False)
        ]
        groups = like(*((k, 1.0, float(h)) for k, h, _ in pairs))
        alone = like((int(rest.sum()), 1.0, 1.0), (int((~rest).sum()), 1.0, 0.0))
        two = prediction_powered(groups, np.array([float(j) for *_, j in pairs]), alone)
        powered += two.low <= rate <= two.high
        plain = weighted_rate(like((int(judge.sum()), 1.0, 1.0), (int((~judge).sum()), 1.0, 0.0)))
        raw += plain.low <= rate <= plain.high
    slack = 0.02 if SOAK else 0.05
    assert 0.95 - slack <= corrected / RUNS <= 1
    assert 0.95 - slack <= powered / RUNS <= 1
    assert raw / RUNS < 0.9


def test_rogan_gladen_is_the_textbook_formula():
    found = rogan_gladen(RateSeen(0.12, 1000), RateSeen(0.8, 100), RateSeen(0.95, 400))
    assert found.value == pytest.approx((0.12 + 0.95 - 1) / (0.8 + 0.95 - 1))
    assert rogan_gladen(RateSeen(0.5, 100), RateSeen(0.4, 50), RateSeen(0.6, 50)) is None


def test_the_judge_sharpens_the_human_rate_and_never_biases_it():
    rng = np.random.default_rng(4)
    human, _, judge = simulated(rng, 20_000, 600, 0.2, 0.95, 0.97)
    rows = [(str(i), "human", int(h)) for i, h in enumerate(human)]
    rows += [(str(i), "judge", int(j)) for i, j in enumerate(judge[:3000])]
    found = figures(rows)
    one, two = found["hallucination_rate"], found["prediction_powered_rate"]
    assert two.high - two.low < 0.8 * (one.high - one.low)
    assert two.low <= 0.2 <= two.high
    assert "kappa" in two.warnings[1]
    assert "judge's own word" in found["judged_rate"].warnings[0]
    assert "the judge finds" in found["corrected_rate"].warnings[0]


def test_without_enough_read_by_both_nothing_is_corrected():
    rows = [(str(i), "judge", i % 2) for i in range(50)]
    assert "2 of each are needed" in figures(rows)["corrected_rate"].reason
    assert "reviewed by both" in figures(rows)["prediction_powered_rate"].reason
    assert "no judge has reviewed" in figures([("a", "human", 1)])["corrected_rate"].reason


# ----- reviewers among themselves -----


def test_alpha_is_krippendorffs_own_binary_example():
    """Krippendorff (2011), Computing Krippendorff's alpha-reliability, example A: two observers, ten units, 0.095."""
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    rows = [(str(i), "human", x, 1.0, "correctness") for one in (a, b) for i, x in enumerate(one)]
    found = figures(rows)["reviewer_agreement"]
    assert found.value == pytest.approx(0.095, abs=5e-4)
    assert found.low <= found.value <= found.high
    assert "two humans" in figures([("a", "human", 1)])["reviewer_agreement"].reason
    assert krippendorff(np.array([2]), np.array([0]), np.array([5])) is None


# ----- the warehouse -----


def test_an_item_lies_on_the_day_of_its_first_review():
    later = DAY + dt.timedelta(days=3)
    rows = reviews([("a", "judge", 1), ("a", "human", 1, 1.0, "hallucination", later)])
    cells = slices(VERDICTS, reviews=rows)[()]
    assert (cells.n.tolist(), cells.humans.tolist(), cells.judges.tolist()) == ([1], [1], [1])
    statement = VERDICTS.select(Facts({"reviews": schema.METADATA.tables["reviews"]}, (), Span(1, 2)))
    assert "WHERE" in str(statement).upper()


def test_a_human_verdict_that_comes_days_later_finds_its_item(tmp_path):
    head = "review_id,model_id,item_id,reviewed_at,rubric,reviewer_type,verdict\n"
    first = (
        head
        + "1,m,a,2026-03-01T10:00:00Z,hallucination,judge,1\n2,m,b,2026-03-02T10:00:00Z,hallucination,judge,0\n"
    )
    runtime = loaded_into(tmp_path / "home", {"reviews": first}, [VERDICTS])
    second = head + "3,m,a,2026-03-05T10:00:00Z,hallucination,human,1\n"
    runtime = loaded_into(tmp_path / "home", {"reviews": second}, [VERDICTS], runtime)
    cells = runtime.store.columns(VERDICTS, ("day",), (), None)
    assert sorted(zip(cells["humans"].tolist(), cells["judges"].tolist(), cells["n"].tolist(), strict=True)) == [
        (0, 1, 1), (1, 1, 1),
    ]  # fmt: skip
    days = {int(d) for d in cells["day"]}
    brought_up(runtime, [VERDICTS], full=True)
    assert {int(d) for d in runtime.store.columns(VERDICTS, ("day",), (), None)["day"]} == days


def test_an_effective_number_never_leaves_the_unit_interval():
    for p in (0.0, 1.0, 0.3):
        found = effective(p, 0.0, 12.0)
        assert 0 <= found.low <= found.value <= found.high <= 1
