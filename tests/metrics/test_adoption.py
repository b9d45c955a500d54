"""Adoption by hand: answers to recommendations, and barriers."""

from __future__ import annotations

import pandas as pd
import pytest

from metrics import ALL
from tests.metrics.rows import DAY, estimate


def usage(actions: dict[str, int], barriers: int = 0) -> pd.DataFrame:
    rows = [a for a, n in actions.items() for _ in range(n)]
    named = ["too slow"] * barriers + [None] * (len(rows) - barriers)
    return pd.DataFrame({
        "usage_id": [str(i) for i in range(len(rows))], "initiative_id": "i", "user_id": "u", "used_at": DAY,
        "action": rows, "barrier": named,
    }, dtype=object)  # fmt: skip


def test_shares_are_of_answers_and_what_was_only_shown_does_not_count():
    frame = usage({"accepted": 6, "overridden": 3, "ignored": 1, "recommended": 40, "opened": 5}, 4)
    for name, k in (("accepted", 6), ("overridden", 3), ("ignored", 1)):
        found = estimate(ALL[f"adoption.{name}_share"], usage_events=frame)
        assert (found.value, found.numerator, found.denominator) == (pytest.approx(k / 10), k, 10)
        assert found.low < found.value < found.high
    assert estimate(ALL["adoption.barriers"], usage_events=frame).value == 4


def test_without_an_answer_there_is_no_share():
    found = estimate(ALL["adoption.accepted_share"], usage_events=usage({"recommended": 3}))
    assert "no recommendation has been answered" in found.reason
    assert "names a barrier" in estimate(ALL["adoption.barriers"], usage_events=usage({"opened": 1})).reason
