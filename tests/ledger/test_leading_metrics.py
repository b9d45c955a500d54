"""Early signs from the ledger, counted in SQL and by hand: contracts kept, seats that voted, what is prepared."""

from __future__ import annotations

import datetime as dt
import json
import random

import pytest

from app.govern import commands
from app.measure.ledger_readings import LedgerReadings
from data.ledger_views import ContractStates
from metrics import ALL
from metrics.core.metric import Reading, Scope
from tests.ledger.homes import Desk, user
from tests.ledger.test_learning_metrics import DECISION, REVIEW
from tests.ledger.test_ledger_metrics import TODAY, one

FIRST = TODAY.date()


def read(desk: Desk, key: str, found: ContractStates = (), scope: Scope | None = None) -> Reading:
    readings = LedgerReadings(lambda: desk.ledger.store, lambda: TODAY, contracts=lambda: found)
    (reading,) = readings.read(ALL[key], scope or Scope())
    return reading


def contract(desk: Desk, name: str, status: str = "active") -> None:
    desk.add("contracts", "anna", record_id=name, title=name, contract_version="1", status=status, table_name=name,
             owner=user("anna"), document="{}")  # fmt: skip


def test_contracts_kept_are_of_those_in_force_and_the_unmeasured_are_not_kept(lite: Desk):
    for name, status in (
        ("a", "active"),
        ("b", "active"),
        ("c", "deprecated"),
        ("d", "draft"),
        ("e", "active"),
    ):
        contract(lite, name, status)
    states = (("a", "kept"), ("b", "broken"), ("c", "kept"), ("d", "kept"), ("e", "not measured"))
    found = read(lite, "leading.data_readiness", states)
    assert (found.numerator, found.denominator) == (2, 4)
    assert "1 of 4 contracts could not be measured" in found.warnings[0]
    assert "could be measured" in read(lite, "leading.data_readiness").reason
    assert read(lite, "leading.data_readiness", states, Scope(where=(("table_name", "b"),))).value == 0.0


def test_as_it_was_no_contract_is_measured(lite: Desk):
    contract(lite, "a")
    found = read(lite, "leading.data_readiness", (("a", "kept"),), Scope(as_of=TODAY))
    assert found.value is None
    assert "as they are now" in found.reason


def test_seats_that_voted_are_of_all_seats_of_decided_reviews(lite: Desk):
    lite.initiative()
    draw, seats, votes = random.Random(6), 0, 0
    people = [user("carl"), user("cleo"), 'demo|a","b', user("omar")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_council_rules", lambda *_: None)
        patch.setattr(commands, "why_not", lambda *_: None)
        for at in range(7):
            members = tuple(draw.sample(people, draw.randint(0, 4)))
            review = lite.add("gate_reviews", initiative="churn", members=members, **REVIEW)
            able = [m for m in members if "," not in m]
            voted = draw.sample(able, draw.randint(0, len(able)))
            for seat in voted:
                lite.add(
                    "gate_votes",
                    "carl",
                    record_id=f"v{at}-{seat}",
                    review=review.record_id,
                    seat=seat,
                    vote="abstain",
                )
            if at == 6:
                continue  # still open: its seats may vote yet
            lite.add(
                "gate_decisions", "carl", record_id=review.record_id, review=review.record_id, **DECISION
            )
            seats += len(json.loads(json.dumps(members)))
            votes += len(voted)
    found = one(lite, "leading.council_turnout")
    assert (found.numerator, found.denominator) == (votes, seats)


def test_every_initiative_past_its_hypothesis_has_eight_checks(lite: Desk):
    lite.initiative("churn")
    lite.initiative("leads")
    lite.add("initiatives", record_id="idea", **_early())
    whole = {
        "rollback_plan": "Switch off", "rollback_tested": FIRST - dt.timedelta(days=180), "runbook": "Wiki", "on_call": "Rota",
        "latency_ms": 100.0, "cost_budget": 10.0, "card_intended_use": "This", "card_limitations": "That",
        "owner": user("omar"), "next_review": FIRST,
    }  # fmt: skip
    lite.add("operability", initiative="churn", **whole)
    found = one(lite, "leading.integration_prepared")
    assert (found.numerator, found.denominator) == (8, 16)
    lite.add("operability", initiative="leads", rollback_plan="Off", owner=user("omar"),
             rollback_tested=FIRST - dt.timedelta(days=181), next_review=FIRST - dt.timedelta(days=1))  # fmt: skip
    found = one(lite, "leading.integration_prepared")
    assert (found.numerator, found.denominator) == (9, 16)
    tested = one(lite, "leading.integration_prepared", Scope(where=(("check_name", "rollback tested"),)))
    assert (tested.numerator, tested.denominator) == (1, 2)


def _early() -> dict[str, object]:
    from tests.ledger.homes import INITIATIVE

    return {**INITIATIVE, "stage": "hypothesis"}
