"""The same digits from ClickHouse, embedded (chdb)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.runtime import Runtime
from tests import clickhouse
from tests.cases import SOAK, lane, needs_cases
from tests.engines import homes

pytestmark = [pytest.mark.clickhouse, needs_cases]
# ClickHouse runs a common table expression again for each reference to it, so the suppression family takes minutes.
QUICK = (
    "identity.signals",
    "activation.states",
    "activation.due",
    "activation.feedback",
    "suppression.consents",
)
KEYS = homes.STORED if SOAK else QUICK


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Runtime, Runtime]]:
    """The golden warehouse in the lake and in ClickHouse, both refreshed."""
    lane("chdb (make test-clickhouse installs it)", clickhouse.installed())
    lake = homes.golden(tmp_path_factory.mktemp("golden"))
    homes.computed(lake, KEYS)
    with clickhouse.mirrored(lake.lake, "golden") as url:
        held = homes.twin(url, "golden", tmp_path_factory.mktemp("clickhouse"))
        homes.computed(held, KEYS)
        yield lake, held


def test_every_cell_of_the_worked_warehouse_has_the_same_nine_digits(pair):
    lake, held = pair
    assert homes.cells(lake, KEYS) > 0
    assert homes.unlike(lake, held, KEYS) == []


@pytest.mark.skipif(not SOAK, reason="a simulated enterprise: THROUGHLINE_SOAK=1")
def test_a_simulated_enterprise_has_the_same_nine_digits(enterprise, tmp_path):
    lane("chdb (make test-clickhouse installs it)", clickhouse.installed())
    keys = tuple(k for k in homes.STORED if not k.startswith("suppression."))
    with clickhouse.mirrored(enterprise.lake, "enterprise") as url:
        held = homes.twin(url, "enterprise", tmp_path)
        homes.computed(held, keys)
        assert homes.unlike(enterprise, held, keys) == []
