"""A nominal 5 % is 5 %: studies of nothing, looks on the way, intervals of a return. 2,000 a design in the soak."""

from __future__ import annotations

import pytest

from tests.attribution import nulls
from tests.attribution.calibration import HIGH, LOW, coverage, design, sequences
from tests.cases import SOAK

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="a campaign: make soak")]

STUDIES = 2000 if SOAK else 50
# With 50 studies chance alone reaches from 0 to 9 of them in 999 of 1,000 campaigns at 5 %.
LEAST, MOST = (LOW, HIGH) if SOAK else (0.0, 0.18)


@pytest.mark.parametrize("name", list(nulls.KINDS))
def test_nothing_is_called_something_in_about_one_study_of_twenty(name: str):
    whole, kinds = design(name, STUDIES)
    assert whole.all_rate is not None
    if name == "series_with_controls":  # its 5 % is not 5 %, and so none of it may be called attributed
        assert whole.all_rate.value > MOST
        assert (whole.attributed, whole.rate) == (0, None)
    else:
        assert LEAST <= whole.all_rate.value <= MOST, whole
        assert whole.rate is not None
        assert whole.rate.value <= MOST, whole
    assert sum(k.studies for k in kinds) == STUDIES


@pytest.mark.parametrize("kind", ["did_few", "staggered_few"])
def test_few_treated_units_are_never_called_attributed_by_these_designs(kind: str):
    name = kind.partition("_")[0]
    make = next(m for m, _ in nulls.KINDS[name] if m.__name__ == kind)
    assert not any(nulls.judged(make, seed).attributed for seed in range(200 if SOAK else 20))


def test_a_confidence_sequence_holds_over_a_hundred_looks():
    assert sequences(2000 if SOAK else 300).value <= 0.05


@pytest.mark.parametrize("make", [nulls.plain, nulls.clustered])
def test_the_interval_of_a_return_holds_the_true_one(make):
    found = coverage(2000 if SOAK else 60, make)
    least, most = (0.93, 0.97) if SOAK else (0.85, 1.0)
    assert least <= found.value <= most, found
