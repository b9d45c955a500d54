"""The same digits from the embedded lake and from a real PostgreSQL server, for every metric."""

import pytest

from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from metrics import ROLLUPS
from tests import postgres
from tests.cases import SOAK
from tests.compare import STORED, differences, everything, unlike_cells
from tests.conftest import clock, refreshed

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def twin(enterprise: Runtime, pg: str, tmp_path_factory) -> Runtime:
    postgres.mirror(enterprise.lake, pg, "parity")
    home = tmp_path_factory.mktemp("pg-home")
    return refreshed(open_runtime(Settings(home=home, warehouse_url=pg, warehouse_schema="parity")))


def test_every_metric_has_the_same_nine_digits(enterprise: Runtime, twin: Runtime):
    assert unlike_cells(enterprise, twin) == []
    assert differences(everything(enterprise), everything(twin)) == []


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="a refresh of everything on PostgreSQL again: make soak")
def test_a_second_refresh_recomputes_the_look_back_and_changes_no_digit(twin: Runtime):
    before = everything(twin, STORED)
    done = refresh(ROLLUPS.values(), twin.warehouse, twin.store, clock)
    assert {o.rollup: o.days for o in done}["value.arms"] < 20  # the look-back, not the history of 35
    assert differences(before, everything(twin, STORED)) == []
