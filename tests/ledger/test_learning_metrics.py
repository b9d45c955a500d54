"""Promises, conclusions and gate reviews, counted in SQL and once more in Python over the same rows."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from lifelines import KaplanMeierFitter

from app.govern import commands, rows
from metrics.core.intervals import wilson
from metrics.core.metric import Scope
from tests.ledger.homes import Desk, user
from tests.ledger.test_ledger_metrics import held, one

TODAY = dt.date(2026, 11, 20)  # as `one` asks
REVIEW = {
    "gate": "scale", "track": "standard", "request": "Scale it", "template": "1", "tier": "tier 1", "quorum": 1,
    "approval": 0.5, "criteria": "[]", "snapshot": "[]", "snapshot_sha256": "c" * 64,
}  # fmt: skip
DECISION = {
    "outcome": "go", "context": "c", "options": "o", "drivers": "d", "consequences": "e", "tally": "1 approves",
    "basis": "[]", "basis_sha256": "d" * 64,
}  # fmt: skip


def promise(desk: Desk, kind: str, due: int, reached: int | None = None, slug: str = "churn") -> None:
    """Days counted from the day asked about."""
    days = {"due": TODAY + dt.timedelta(days=due)}
    days |= {} if reached is None else {"reached": TODAY + dt.timedelta(days=reached)}
    desk.add("milestones", initiative=slug, kind=kind, title="Live", owner=user("omar"), **days)


def test_what_was_promised_and_never_reached_is_not_on_time(lite: Desk):
    lite.initiative()
    for due, reached in (
        (-10, -12),
        (-10, -10),
        (-10, -9),
        (-1, None),
        (0, None),
        (5, None),
        (5, -3),
        (5, 4),
    ):
        promise(lite, "capability", due, reached)
    promise(lite, "production", -3)
    found, rate = one(lite, "learning.milestones_on_time"), wilson(3, 5)
    assert (found.numerator, found.denominator) == (3, 5)  # before, on the day, early; late, never
    assert (found.low, found.high) == pytest.approx((rate.low, rate.high))
    steps = one(lite, "learning.steps_on_time")
    assert (steps.numerator, steps.denominator) == (0, 1)


def test_a_promise_taken_back_no_longer_counts(lite: Desk):
    lite.initiative()
    promise(lite, "pilot", -5)
    promise(lite, "pilot", -5, -6)
    assert one(lite, "learning.steps_on_time").denominator == 2
    lite.step("retire", next(r for r in held(lite, "milestones") if r["reached"] is None), "carl")
    assert one(lite, "learning.steps_on_time").value == 1.0


def test_conclusions_are_those_that_changed_a_decision_of_all(lite: Desk):
    lite.initiative()
    lite.initiative("leads")
    draw = random.Random(2)
    said = []
    for at in range(12):
        effect = draw.choice(["changed a decision", "confirmed a decision", "left the decision open"])
        slug = draw.choice(["churn", "leads"])
        ended = TODAY + dt.timedelta(days=draw.choice([-20, 0, 3]))
        lite.add("conclusions", initiative=slug, experiment=f"x{at}", concluded=ended, finding="f", effect=effect,
                 owner=user("omar"))  # fmt: skip
        said.append((slug, effect, ended))
    known = [(s, e) for s, e, ended in said if ended <= TODAY]
    found = one(lite, "learning.conclusions_used")
    assert (found.numerator, found.denominator) == (
        sum(e.startswith("changed") for _, e in known),
        len(known),
    )
    by = one(lite, "learning.conclusions_used", Scope(where=(("initiative", "leads"),)))
    assert by.denominator == sum(s == "leads" for s, _ in known)


def test_half_of_the_gate_reviews_took_this_long_and_the_open_ones_count(lite: Desk):
    lite.initiative()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_council_rules", lambda *_: None)
        patch.setattr(commands, "why_not", lambda *_: None)
        opened = [lite.add("gate_reviews", initiative="churn", **REVIEW) for _ in range(4)]
        for review in opened[:2]:
            lite.add(
                "gate_decisions", "carl", record_id=review.record_id, review=review.record_id, **DECISION
            )
        lite.step("withdraw", opened[2], "omar")
    now = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    with lite.ledger.store.read() as db:
        first = {r.record_id: rows.history(db, "gate_reviews", r.record_id)[0].at for r in opened}
        last = rows.history(db, "gate_reviews", opened[2].record_id)[-1].at
        ends = {r.record_id: r.at for r in rows.rows(db, "gate_decisions")}
    ends |= {opened[2].record_id: last, opened[3].record_id: now}
    took = [
        (ends[k].replace(microsecond=0) - at.replace(microsecond=0)).total_seconds()
        for k, at in first.items()
    ]
    fitter = KaplanMeierFitter().fit(took, [1, 1, 0, 0])
    found = one(lite, "delivery.gate_cycle_median")
    assert (found.n, found.numerator, found.denominator) == (4, 2, 4)
    assert found.value == pytest.approx(fitter.median_survival_time_, abs=1)


def test_nothing_written_down_says_what_to_write(lite: Desk):
    for key, part in (
        ("learning.milestones_on_time", "milestones"), ("learning.conclusions_used", "conclusions"),
        ("delivery.gate_cycle_median", "gate_reviews"),
    ):  # fmt: skip
        found = one(lite, key)
        assert found.value is None
        assert part in found.reason
