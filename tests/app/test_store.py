"""The rollup store: what is not there is not a row."""

from app.runtime import Runtime
from metrics import ALL
from metrics.core.metric import Scope


def test_a_scope_without_cells_has_no_slice(enterprise: Runtime):
    for key in ("fairness.selection_rate", "value.units"):
        pinned = Scope(where=((ALL[key].apart[0], "nobody"),))
        (reading,) = enterprise.readings.read(ALL[key], pinned)
        assert reading.value is None
        assert "no row matches" in reading.reason
    assert enterprise.readings.cells(ALL["model.auc"].rollup, Scope(where=(("model_id", "nobody"),))) == ()
