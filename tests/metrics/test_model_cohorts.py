import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from app.measure.restated import FIGURES
from app.runtime import Runtime
from metrics import ALL, ROLLUPS
from metrics._model_labels import Arrivals, last_mature_day
from metrics.core.cohorts import SENTENCE
from metrics.core.metric import Scope
from tests.metrics.homes import loaded_into

FIRST = dt.datetime(2026, 1, 1, 6, tzinfo=dt.UTC)
DAYS, EACH, SLOW = 40, 60, 12
USED = [ROLLUPS[k] for k in ("model.scores", "model.arrivals", "fairness.decisions")]
LAST = FIRST.date() + dt.timedelta(days=DAYS - 1)


def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Day, score and outcome of each prediction, and the days its outcome takes: bad news comes first."""
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(DAYS), EACH)
    y = (rng.random(len(day)) < 0.4).astype(int)
    score = np.round(1 / (1 + np.exp(-(rng.standard_normal(len(day)) + 1.4 * y - 0.7))), 6)
    return day, score, y, np.where(y == 1, 1, SLOW)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return made(tmp_path_factory.mktemp("cohorts") / "home")


def made(folder: Path) -> Runtime:
    """Predictions and the outcomes that had come by the end of the last day, each loaded when it came."""
    day, score, y, wait = rows()
    told = ["prediction_id,model_id,entity_id,predicted_at,score,threshold,received_at,loaded_at,attr_region"]
    known = ["prediction_id,label,labelled_at,received_at,loaded_at"]
    for i, (d, s, label, w) in enumerate(zip(day, score, y, wait, strict=True)):
        at, came = (FIRST + dt.timedelta(days=int(x)) for x in (d, d + w))
        told.append(
            f"p{i},m,e{i},{at.isoformat()},{s},0.5,{at.isoformat()},{at.isoformat()},{'north' if i % 2 else 'south'}"
        )
        if d + w < DAYS:
            known.append(f"p{i},{label},{came.isoformat()},{came.isoformat()},{came.isoformat()}")
    return loaded_into(folder, {"predictions": "\n".join(told), "labels": "\n".join(known)}, USED)


def read(home: Runtime, key: str, **scope):
    return home.readings.read(ALL[f"model.{key}"], Scope(**scope))


def judged() -> int:
    """Days old enough: those whose slow outcomes have come too by the last day."""
    return DAYS - SLOW


def test_realised_figures_judge_mature_days_only_and_known_ones_are_there_for_the_asking(home: Runtime):
    day, score, y, wait = rows()
    old = day < judged()
    (found,) = read(home, "auc")
    assert found.n == old.sum()
    assert found.value == pytest.approx(roc_auc_score(y[old], score[old]), abs=2e-3)
    end = (FIRST.date() + dt.timedelta(days=judged() - 1)).isoformat()
    assert f"days after {end} are too young to be judged and are left out" in found.warnings
    (everything,) = read(home, "auc", settings=(("cohorts", "known"),))
    come = day + wait < DAYS
    assert everything.n == come.sum()
    (rate,), (biased,) = read(home, "base_rate"), read(home, "base_rate", settings=(("cohorts", "known"),))
    assert rate.value == pytest.approx(y[old].mean())
    assert biased.value > rate.value + 0.05  # the early outcomes are the bad ones


def test_a_group_too_young_gives_its_reason_and_the_estimate_stands_in(home: Runtime):
    weeks = {dict(r.by)["week"]: r for r in read(home, "precision", by=("week",))}
    newest = weeks[max(weeks)]
    assert newest.value is None
    assert "outcomes of these days are still coming in" in newest.reason
    assert min(r.n for r in weeks.values() if r.value is not None) > 0
    estimated = {dict(r.by)["week"]: r for r in read(home, "precision_estimated", by=("week",))}
    assert estimated[max(weeks)].value is not None
    (none,) = read(home, "auc", since=LAST - dt.timedelta(days=3))
    assert "too young to be judged" in none.reason
    exact, gap = (
        read(home, "auc_exact"),
        home.readings.read(ALL["fairness.true_positive_rate"], Scope(by=("attr_region",))),
    )
    assert exact[0].n == read(home, "auc")[0].n
    assert sum(r.n for r in gap) == read(home, "recall")[0].denominator


def test_what_needs_no_outcome_keeps_every_day(home: Runtime):
    for key in ("predictions", "label_coverage", "flagged_share", "unusable_scores"):
        assert read(home, key)[0].n == DAYS * EACH, key
        assert ALL[f"model.{key}"].cohorts is None
    realised = [m for m in ALL.values() if m.cohorts is not None]
    assert {"model.auc", "model.precision_at_k", "fairness.false_positive_rate"} <= {m.key for m in realised}
    assert all(m.definition.endswith(SENTENCE) and m.version > 1 for m in realised)
    assert all(ALL[k].key == k for k in FIGURES)


def test_the_past_had_its_own_mature_days_and_is_reproduced(home: Runtime):
    on = FIRST.date() + dt.timedelta(days=24)
    then = dt.datetime.combine(on, dt.time.max, dt.UTC)
    metric = ALL["model.auc"]
    asked = Scope(until=on, as_of=then)
    matured = home.readings.matured(metric, asked)
    ((name, model, last),) = matured.limits
    assert (name, model) == ("model_id", "m")
    day, score, y, _ = rows()
    start = (FIRST.date() - dt.date(1970, 1, 1)).days
    old = day <= last - start
    (said,) = home.readings.read(metric, matured)
    assert said.n == old.sum() < read(home, "auc")[0].n
    assert said.value == pytest.approx(roc_auc_score(y[old], score[old]), abs=2e-3)


def test_days_that_have_all_their_outcomes_are_mature_however_young():
    on = np.repeat(np.arange(10), 2)
    age = np.tile([0, -1], 10)
    full = Arrivals(on, age, np.tile([95, 5], 10), 9)
    assert last_mature_day(full) is None
    short = np.tile([95, 5], 10)
    short[-2:] = (10, 90)
    assert last_mature_day(Arrivals(on, age, short, 9)) == 8
    assert last_mature_day(Arrivals(on, np.full(20, -1), short, 9)) is None
