"""Studies that are looked at before their end: the interval is one that holds at this look."""

import numpy as np
import pytest

from app.measure.studies.spec import SpecError
from tests.attribution.studies import csv_of, other, study, verdicts
from tests.attribution.test_kinds import TRIAL


def trial(folder, n=400, seed=1, effect=0.0, **more):
    rng = np.random.default_rng(seed)
    arm = np.where(np.arange(n) % 2, "ai", "human")
    data = csv_of(folder, group=arm, y=rng.normal(0, 1, n) + effect * (arm == "ai"))
    return study(folder, **TRIAL, data=data, **more)


def width(found) -> float:
    return found.high - found.low


def test_before_the_registered_number_the_interval_is_a_confidence_sequence(tmp_path):
    fixed, early = trial(tmp_path), trial(tmp_path, planned_units=1000)
    assert early.method == "confidence sequence, valid at every look"
    assert early.estimate == fixed.estimate
    assert width(early) > 1.4 * width(fixed)
    assert early.p_value is None
    assert verdicts(early)["peeking"] == "pass"
    assert other(early, fixed.method).low == fixed.low
    assert early.grade == fixed.grade


def test_at_the_registered_number_the_fixed_interval_stands(tmp_path):
    fixed, done = trial(tmp_path), trial(tmp_path, planned_units=400)
    assert (done.low, done.high, done.p_value) == (fixed.low, fixed.high, fixed.p_value)


def test_planned_looks_use_the_published_bounds(tmp_path):
    """O'Brien-Fleming spending, five equal looks: 4.877, 3.357, 2.680, 2.290, 2.031 (Lan-DeMets tables)."""
    looks = [0.2, 0.4, 0.6, 0.8, 1.0]
    for share, bound in zip(looks, (4.877, 3.357, 2.680, 2.290, 2.031), strict=True):
        found = trial(tmp_path, planned_units=round(400 / share), looks=looks)
        assert (found.high - found.estimate) / found.se == pytest.approx(bound, abs=0.002)


def test_an_early_look_at_nothing_is_rarely_called_something(tmp_path):
    """100 null studies, each looked at 8 times on its way: fixed intervals would call about a fifth."""
    from metrics.attribution.sequential import anytime

    called = 0
    for seed in range(400):
        y = np.random.default_rng(seed).normal(0, 1, (2, 400))
        called += any(
            anytime(d := float(y[0, :n].mean() - y[1, :n].mean()), (2 / n) ** 0.5, 2 * n, 800).low > 0
            or d + (d - anytime(d, (2 / n) ** 0.5, 2 * n, 800).low) < 0
            for n in range(50, 401, 50)
        )
    assert called / 400 <= 0.05


@pytest.mark.parametrize(
    ("more", "words"),
    [({"looks": [0.5, 1]}, "planned_units"), ({"planned_units": 10, "looks": [0.5, 0.5]}, "rise"),
     ({"planned_units": 10, "looks": [2]}, "shares"), ({"planned_units": 10, "looks": "often"}, "shares"),
     ({"planned_units": "many"}, "number")],
)  # fmt: skip
def test_looks_that_do_not_hold_together_are_refused(more, words, tmp_path):
    with pytest.raises(SpecError, match=words):
        trial(tmp_path, **more)
