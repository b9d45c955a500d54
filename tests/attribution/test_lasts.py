"""Whether an effect lasts and who gains, asked of studies whose answer is known."""

import numpy as np
import pytest

from app.govern.study_words import told
from app.measure.studies.spec import SpecError
from app.ui import charts_courses
from metrics.core.persistence import Course
from tests.attribution.studies import csv_of, study
from tests.attribution.test_kinds import TRIAL


def cohorts(folder, effects, n=400, seed=3, number=False, **more):
    """A trial with `n` new units a month, treated with these effects."""
    rng = np.random.default_rng(seed)
    lines = {"when": [], "group": [], "y": []}
    for month, effect in enumerate(effects):
        arm = np.where(np.arange(n) % 2, "ai", "human")
        lines["group"] += list(arm)
        lines["y"] += list(rng.normal(10, 1, n) + effect * (arm == "ai"))
        lines["when"] += [month if number else f"2025-{month + 1:02d}-{1 + i % 28:02d}" for i in range(n)]
    return study(folder, **TRIAL, data=csv_of(folder, **lines), period="when", **more)


def test_a_fading_effect_is_called_fading_with_its_half_life(tmp_path):
    found = cohorts(tmp_path, [2 * 0.5 ** (m / 2) for m in range(8)], n=600, seed=4)
    assert found.lasts.course is Course.FADING
    assert [c.label for c in found.lasts.cohorts] == [f"2025-{m:02d}" for m in range(1, 9)]
    assert found.lasts.slope.high < 0
    assert found.lasts.half_life.low < 61 < found.lasts.half_life.high  # two months
    assert found.lasts.unit == "day"
    text = " ".join(told(found).report)
    assert "Fading: later cohorts gain clearly less" in text
    assert "It halves in about" in text
    assert charts_courses.lasts(found).finding.startswith("Fading")


def test_a_steady_effect_is_sustained_and_nothing_is_not_clear(tmp_path):
    steady = cohorts(tmp_path, [1.0] * 6)
    assert steady.lasts.course is Course.SUSTAINED
    assert steady.lasts.half_life is None
    assert cohorts(tmp_path, [0.0] * 6, number=True).lasts.course is Course.UNCLEAR
    assert cohorts(tmp_path, [1.0] * 2).lasts.course is Course.UNKNOWN


def test_a_panel_says_only_whether_its_newest_period_still_gains(tmp_path):
    from tests.attribution.test_kinds import DID, panel

    found = study(tmp_path, **DID, data=panel(tmp_path), treated_from="2025-08-01")
    assert found.lasts.course is Course.SUSTAINED
    assert "decay is not tested" in found.lasts.why
    assert charts_courses.lasts(found) is None


def people(folder, gain, n=1600, **more):
    """A trial in which those with a large x gain `gain` and the others nothing."""
    rng = np.random.default_rng(5)
    x, noise, arm = rng.normal(0, 1, n), rng.normal(0, 1, n), np.where(np.arange(n) % 2, "ai", "human")
    y = rng.normal(0, 1, n) + gain * (x > 0.5) * (arm == "ai")
    town = np.where(noise > 0, "north", "south")
    data = csv_of(folder, group=arm, x=x, town=town, y=y)
    return study(folder, **TRIAL, data=data, **more)


def test_columns_that_tell_who_gains_are_said_to(tmp_path):
    found = people(tmp_path, 3.0, uplift_by=["x", "town"])
    assert found.uplift.ranks
    assert found.uplift.low > 0
    assert found.uplift.groups[0].low > 1 > found.uplift.groups[-1].low
    assert "x and town tell who gains beyond chance" in " ".join(told(found).report)
    assert charts_courses.uplift(found).finding == "x, town tell who gains"
    worse = people(tmp_path, -3.0, uplift_by=["x"], uplift_method="t_learner", direction="lower_is_better")
    assert worse.uplift.ranks
    assert worse.uplift.groups[0].high < -1  # those who gain most where less is better


def test_columns_that_tell_nothing_are_not_said_to(tmp_path):
    found = people(tmp_path, 0.0, uplift_by=["x"])
    assert not found.uplift.ranks
    assert "no better than chance" in " ".join(told(found).report)
    few = people(tmp_path, 1.0, n=200, uplift_by=["x"])
    assert few.uplift.qini is None
    assert "fewer than 250" in few.uplift.reason


@pytest.mark.parametrize(
    ("more", "words"),
    [({"uplift_by": ["y"]}, "not known before"), ({"uplift_by": ["x"], "uplift_method": "magic"}, "t_learner"),
     ({"uplift_by": ["x"], "cluster": "town"}, "cluster"), ({"uplift_by": ["x", "x"]}, "twice")],
)  # fmt: skip
def test_what_cannot_be_asked_of_uplift_is_refused(more, words, tmp_path):
    with pytest.raises(SpecError, match=words):
        people(tmp_path, 1.0, n=300, **more)
