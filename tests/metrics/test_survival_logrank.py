import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import survdiff

from metrics.core.logrank import log_rank
from tests.cases import CASES, needs_cases

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifelines.statistics import multivariate_logrank_test


def case(name: str) -> dict:
    cases = json.loads((CASES / "activation_cases.json").read_text())
    return next(c for c in cases if c["id"] == name)["expected"]


def test_of(time, status, group):
    status = np.asarray(status, dtype=int)
    return log_rank(np.asarray(time, dtype=float), np.asarray(group, dtype=int), status, 1 - status)


test_of.__test__ = False


@needs_cases
def test_the_sexes_of_lung_differ_as_published():
    rows, expected = pd.read_csv(CASES / "survival/lung.csv"), case("km-lung-all")
    found = test_of(rows.time, rows.status, rows.sex - 1)
    assert found.statistic == pytest.approx(expected["logrank_sex_chi2"], abs=1e-6)
    assert found.p == pytest.approx(expected["logrank_p"], abs=1e-8)
    assert (found.df, found.observed) == (1, (112, 53))
    assert found.expected == pytest.approx((91.6, 73.4), abs=0.05)  # as R prints


@needs_cases
def test_the_regimes_of_dd_differ_as_published():
    rows = pd.read_csv(CASES / "survival/dd.csv")
    found = test_of(rows.duration, rows.observed, rows.democracy == "Democracy")
    assert found.statistic == pytest.approx(case("km-dd")["logrank_chi2"], abs=0.005)


PERSON = st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 3))


@settings(max_examples=20)
@given(st.lists(PERSON, min_size=30, max_size=80))
def test_k_groups_equal_statsmodels_and_lifelines(people):
    time, status, group = (np.array(column) for column in zip(*people, strict=True))
    _, group = np.unique(group, return_inverse=True)
    found = test_of(time, status, group)
    if found is None or found.df < group.max():
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        statistic, p = survdiff(time.astype(float), status.astype(int), group)
        oracle = multivariate_logrank_test(time, group, status)
    assert found.statistic == pytest.approx(statistic, rel=1e-7, abs=1e-9)
    assert found.p == pytest.approx(p, rel=1e-7, abs=1e-12)
    assert found.statistic == pytest.approx(oracle.test_statistic, rel=1e-6, abs=1e-9)


def test_counts_stand_for_persons():
    random = np.random.default_rng(2)
    time, status, group = random.integers(1, 9, 300), random.integers(0, 2, 300), random.integers(0, 3, 300)
    cells, at = np.unique(np.stack([time, group]), axis=1, return_inverse=True)
    events = np.bincount(at.ravel(), status).astype(int)
    found = log_rank(cells[0].astype(float), cells[1], events, np.bincount(at.ravel()) - events)
    assert found == test_of(time, status, group)


def test_delayed_entry_equals_statsmodels():
    random = np.random.default_rng(8)
    time, status, group = (
        random.integers(4, 20, 200) + 0.0,
        random.integers(0, 2, 200),
        random.integers(0, 2, 200),
    )
    entry = np.where(random.random(200) < 0.5, np.floor(time / 2) + 0.5, 0.0)
    late, nobody = entry > 0, np.zeros(200, dtype=int)
    found = log_rank(
        np.concatenate([time, entry[late]]),
        np.concatenate([group, group[late]]),
        np.concatenate([status, nobody[late]]),
        np.concatenate([1 - status, nobody[late]]),
        np.concatenate([nobody, 1 + nobody[late]]),
    )
    statistic, p = survdiff(time, status, group, entry=entry)
    assert (found.statistic, found.p) == pytest.approx((statistic, p), rel=1e-9)


@pytest.mark.parametrize(
    ("time", "status", "group"),
    [([], [], []), ([1, 2], [1, 1], [0, 0]), ([1, 2], [0, 0], [0, 1]), ([1, 2], [0, 1], [0, 1])],
)
def test_nothing_to_compare_is_none(time, status, group):
    assert test_of(time, status, group) is None


def test_groups_that_never_meet_another_are_left_out_of_the_degrees_of_freedom():
    found = test_of([5, 6, 7, 8, 1, 9, 9], [1, 1, 1, 1, 0, 1, 0], [0, 1, 0, 1, 2, 1, 0])
    assert found.df == 1
