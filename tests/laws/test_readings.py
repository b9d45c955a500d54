"""Laws over every Reading of every metric."""

import pytest

from app.measure.readings import Readings
from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from metrics import ALL, ROLLUPS
from metrics.core.metric import Reading, Scope
from tests.cases import SOAK
from tests.compare import STORED, differences, digits, everything, scopes
from tests.conftest import clock, refreshed

KEYS = list(ALL)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runtime, Runtime]:
    """Two homes without a row: never refreshed, and refreshed."""
    new, done = (
        open_runtime(Settings(home=tmp_path_factory.mktemp(n))) for n in ("never-refreshed", "refreshed")
    )
    return new, refreshed(done)


@pytest.mark.parametrize("key", KEYS)
def test_on_an_empty_warehouse_the_value_is_none_and_says_why(key: str, nothing: tuple[Runtime, Runtime]):
    for ready in nothing:
        readings = ready.readings.read(ALL[key], Scope())
        assert readings
        assert all(r.value is None and len(r.reason) > 10 for r in readings)


@pytest.mark.parametrize("key", KEYS)
def test_a_reading_is_a_number_in_its_interval_or_none_with_a_reason(key: str, governed: Readings):
    for scope in scopes(ALL[key]):
        for r in governed.read(ALL[key], scope):
            assert isinstance(r.n, int)
            if r.value is None:
                assert r.reason
                assert r.low is None
                assert r.high is None
                continue
            assert isinstance(r.value, float)
            assert r.reason == ""
            assert r.method
            assert (r.low is None) == (r.high is None)
            if r.low is not None:
                assert r.low <= r.value <= r.high, r


# Defined only where a channel of five attempts a quarter of an hour had an outage: test_activation_way.py makes one.
AFTER_AN_OUTAGE = ("activation.channel_continuity", "activation.minutes_degraded")
# Defined only where two versions score the same cases on one day: test_model_pairs.py makes them.
IN_A_SHADOW_RUN = ("model.auc_paired_difference",)


@pytest.mark.parametrize("key", [k for k in KEYS if k not in (*AFTER_AN_OUTAGE, *IN_A_SHADOW_RUN)])
def test_every_metric_has_a_value_somewhere_in_the_enterprise(key: str, governed: Readings):
    by = (
        ((), ("channel",)) if "channel" in ALL[key].rollup.dims else ((),)
    )  # a slow quantile, in a fast channel at least
    told = (
        ((), (("cohorts", "known"),)) if ALL[key].cohorts else ((),)
    )  # a new version's cohorts are all too young
    found = (r for b in by for s in told for r in governed.read(ALL[key], Scope(by=b, settings=s)))
    assert any(r.value is not None for r in found), key


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="every rollup twice: make soak")
def test_a_full_rebuild_gives_the_same_digits(enterprise: Runtime, tmp_path):
    before = everything(enterprise, STORED)
    fresh = open_runtime(Settings(home=enterprise.settings.home))
    refresh(ROLLUPS.values(), fresh.warehouse, fresh.store, clock, full=True)
    assert differences(before, everything(fresh, STORED)) == []


def test_a_second_refresh_has_nothing_to_do(enterprise: Runtime):
    done = refresh(ROLLUPS.values(), enterprise.warehouse, enterprise.store, clock)
    assert [o.days for o in done] == [0 for _ in done]


def test_groups_of_an_additive_metric_add_up_to_the_whole(enterprise: Runtime):
    whole = {r.by: r.value for r in enterprise.readings.read(ALL["model.predictions"], Scope())}
    for by in ("week", "month", "model_version", "attr_region"):
        parts = enterprise.readings.read(ALL["model.predictions"], Scope(by=(by,)))
        assert sum(r.value for r in parts) == sum(whole.values()), by


def told(reading: Reading) -> tuple[object, ...]:
    """Nine digits: sums of floats come in any order."""
    return (*(digits(x) for x in (reading.value, reading.low, reading.high)), reading.n)


def test_where_and_by_tell_the_same_story(enterprise: Runtime):
    for key in ("model.auc", "fairness.false_positive_rate", "value.mean_difference"):
        dim = ALL[key].apart[0]
        for reading in enterprise.readings.read(ALL[key], Scope()):
            pinned = Scope(where=tuple(p for p in reading.by if p[0] == dim))
            same = [r for r in enterprise.readings.read(ALL[key], pinned) if set(r.by) == set(reading.by)]
            assert [told(r) for r in same] == [told(reading)]


def test_an_unknown_dimension_is_refused_with_the_known_ones(enterprise: Runtime):
    with pytest.raises(ValueError, match="model_id"):
        enterprise.readings.read(ALL["model.auc"], Scope(by=("colour",)))
    with pytest.raises(ValueError, match="model_id"):
        enterprise.readings.read(ALL["model.auc"], Scope(where=(("colour", "red"),)))
    with pytest.raises(ValueError, match="no setting"):
        enterprise.readings.read(ALL["model.auc"], Scope(settings=(("colour", "red"),)))
