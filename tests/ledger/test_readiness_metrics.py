"""Readiness: each item's evidence by hand, and all of them once more from plain rows in Python."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from app.govern import commands
from app.measure.ledger_readings import LedgerReadings
from data.ledger_views import Bounds, ContractStates
from metrics import ALL
from metrics._readiness_items import ITEMS
from metrics.core.intervals import wilson
from metrics.core.metric import Reading, Scope
from tests.cases import SOAK
from tests.ledger.homes import OWNERSHIP, RISK, Desk, user
from tests.ledger.test_ledger_metrics import TODAY

FIRST = TODAY.date()
PILLARS = [k for k in ALL if k.startswith("readiness.")]
Basis = dict[tuple[str, str], tuple[str, str]]  # initiative and item: basis and evidence
WATCHES = {
    "oversight": "A sample every week", "escalation": "The owner", "fallback": "The rule before",
}  # fmt: skip
MEASURED: Bounds = (("model.auc", "at least", 0.7, "", "not met"),)


def readings(desk: Desk, bounds: Bounds = (), contracts: ContractStates = ()) -> LedgerReadings:
    return LedgerReadings(lambda: desk.ledger.store, lambda: TODAY, lambda: bounds, lambda: contracts)


def basis(desk: Desk, bounds: Bounds = (), contracts: ContractStates = ()) -> Basis:
    """Every item of every initiative as the family tells it."""
    by = ("initiative", "item", "basis", "evidence")
    found: Basis = {}
    for key in PILLARS:
        for r in readings(desk, bounds, contracts).read(ALL[key], Scope(by=by)):
            if r.value is not None:
                told = {k: str(v) for k, v in r.by}
                found[told["initiative"], told["item"]] = (told["basis"], told["evidence"])
    return found


def one(desk: Desk, key: str, **more: object) -> Reading:
    (found,) = readings(desk, **more).read(ALL[key], Scope())  # type: ignore[arg-type]
    return found


def test_an_initiative_without_records_has_everything_absent(lite: Desk):
    lite.initiative()
    found = basis(lite)
    assert len(found) == len(ITEMS)
    assert set(found.values()) == {("absent", "none")}
    rate = wilson(0, 4)
    least = one(lite, "readiness.minimum_viable_context")
    assert (least.value, least.high, least.n) == (0.0, pytest.approx(rate.high), 4)


def test_what_is_only_declared_is_inferred_and_never_counted(lite: Desk):
    lite.initiative()
    lite.add("decisions", initiative="churn", title="Who is called", decider=user("omar"), frequency="daily",
             automation="advice", **WATCHES)  # fmt: skip
    lite.add("risks", **RISK)
    lite.add("operability", initiative="churn", rollback_plan="Off", owner=user("omar"), next_review=FIRST)
    found = basis(lite)
    for item, evidence in (
        ("known fallback", "decisions/DEC-0001"), ("failure mode", "risks/RISK-0001"), ("rollback", "operability/churn"),
        ("human oversight", "decisions/DEC-0001"),
    ):  # fmt: skip
        assert found["churn", item] == ("inferred", evidence)
    least = one(lite, "readiness.minimum_viable_context")
    assert least.value == 0.0
    assert least.warnings == ("2 more of 4 are declared and shown by nothing",)


def test_a_test_a_measurement_and_an_approval_are_observed(lite: Desk):
    lite.initiative()
    lite.add("operability", initiative="churn", rollback_plan="Off", owner=user("omar"), next_review=FIRST,
             rollback_tested=FIRST - dt.timedelta(days=180))  # fmt: skip
    lite.add(
        "risks",
        **RISK,
        indicator_metric="model.auc",
        indicator_comparator="at least",
        indicator_threshold=0.7,
    )
    lite.add("ownership", **OWNERSHIP, data_steward=user("omar"))
    found = basis(lite, MEASURED)
    assert found["churn", "rollback"] == found["churn", "known fallback"] == ("observed", "operability/churn")
    assert found["churn", "failure mode"] == ("observed", "risks/RISK-0001")
    assert (
        found["churn", "owner for conflicts"]
        == found["churn", "data steward"]
        == ("observed", "ownership/churn")
    )
    assert basis(lite)["churn", "failure mode"][0] == "inferred"  # the indicator is not measured
    assert one(lite, "readiness.minimum_viable_context", bounds=MEASURED).numerator == 3


def test_a_test_too_long_ago_and_a_review_overdue_are_no_longer_observed(lite: Desk):
    lite.initiative()
    lite.add("operability", initiative="churn", rollback_plan="Off", owner=user("omar"), next_review=FIRST,
             rollback_tested=FIRST - dt.timedelta(days=181))  # fmt: skip
    lite.add("ownership", **OWNERSHIP | {"next_review": FIRST - dt.timedelta(days=1)})
    found = basis(lite)
    assert found["churn", "rollback"][0] == "inferred"
    assert found["churn", "owner for conflicts"] == ("inferred", "ownership/churn")


def test_there_is_one_source_of_truth_only_where_one_contract_is_kept(lite: Desk):
    lite.initiative()
    lite.change(lite.add("initiatives", record_id="leads", **_with_models()), "omar", title="Leads")
    contract = {
        "contract_version": "1", "status": "active", "table_name": "predictions", "owner": user("anna"), "document": "{}",
    }  # fmt: skip
    lite.add("contracts", "anna", record_id="first", title="First", **contract)
    assert basis(lite)["leads", "one source of truth"] == ("inferred", "contracts/first")
    kept = (("first", "kept"),)
    assert basis(lite, contracts=kept)["leads", "one source of truth"] == ("observed", "contracts/first")
    assert basis(lite, contracts=(("first", "broken"),))["leads", "source of truth"][0] == "inferred"
    assert basis(lite, contracts=kept)["churn", "one source of truth"][0] == "absent"  # it names no model
    lite.add("contracts", "anna", record_id="second", title="Second", **contract)
    assert basis(lite, contracts=kept)["leads", "one source of truth"][0] == "absent"  # two truths are none


def _with_models() -> dict[str, object]:
    from tests.ledger.homes import INITIATIVE

    return {**INITIATIVE, "model_ids": ("m",)}


def test_a_file_shows_something_until_it_expires_and_only_if_it_was_observed(lite: Desk):
    lite.initiative()
    file = {"title": "Card", "type": "model card", "initiative": "churn", "owner": user("omar")}
    lite.add("evidence", "omar", **file, basis="inferred")
    lite.add("evidence", "omar", **file, basis="observed", expires=FIRST - dt.timedelta(days=1))
    assert basis(lite)["churn", "intended use"][0] == "absent"
    lite.add("evidence", "omar", **file, basis="observed", expires=FIRST)
    assert basis(lite)["churn", "intended use"] == ("observed", "evidence/EVI-0003")


def test_studies_targets_and_gates_count_by_what_they_found(lite: Desk):
    lite.initiative()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_council_rules", lambda *_: None)
        patch.setattr(commands, "why_not", lambda *_: None)
        lite.add(
            "studies",
            "anna",
            record_id="plan",
            title="P",
            design="did",
            initiative="churn",
            plan_hash="a" * 64,
            plan="{}",
        )
        result = {
            "study": "plan",
            "data_hash": "b" * 64,
            "sha256": "c" * 64,
            "bytes": 1,
            "counted": False,
            "diagnostics": "[]",
        }
        lite.add("study_results", "anna", record_id="weak", grade="modelled", **result)
        assert basis(lite)["churn", "value"] == ("inferred", "studies/plan")
        lite.add("study_results", "anna", record_id="strong", grade="randomised", **result)
        lite.add(
            "targets",
            metric="model.auc",
            comparator="at least",
            threshold=0.7,
            valid_from=FIRST,
            initiative="churn",
        )
        assert basis(lite)["churn", "target"] == ("inferred", "targets/TGT-0001")
        lite.add("check_ins", target="TGT-0001", confidence="on track", comment="Good")
    found = basis(lite)
    assert found["churn", "value"] == ("observed", "study_results/strong")
    assert found["churn", "target"] == ("observed", "check_ins/CHK-0001")


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="two hundred initiatives: make soak")
def test_two_hundred_initiatives_are_asked_in_a_blink(lite: Desk):
    for at in range(200):
        lite.initiative(f"i{at:03d}")
    began = time.monotonic()
    found = one(lite, "readiness.minimum_viable_context")
    assert found.n == 800
    assert time.monotonic() - began < 3
