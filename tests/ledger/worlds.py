"""A ledger with a row in every register, several versions, decided requests and a denial."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from pathlib import Path

from app.govern import evidence
from app.govern.model import Denied
from app.settings import Settings
from tests.ledger.homes import INITIATIVE, OWNERSHIP, RISK, ROOT, Desk, user

LATER = dt.date(2027, 1, 1)


def filled(desk: Desk, home: Path) -> Desk:
    """Every register, written through the one write path."""
    churn = desk.initiative()
    desk.change(churn, title="Churn retention, second year", model_ids=("m1", "m2"))
    desk.add("initiatives", "carl", record_id="pricing", **{**INITIATIVE, "sponsor": user("olga")})
    desk.add("ownership", **{**OWNERSHIP, "delegate": user("olga")})
    desk.add(
        "decision_rights",
        initiative="churn",
        activity="Threshold",
        scheme="RACI",
        part="responsible",
        who=user("omar"),
    )
    desk.add("decisions", initiative="churn", title="Who gets an offer", decider=user("omar"), frequency="daily",
             automation="acts with veto", oversight="Weekly look", escalation="Head of sales", fallback="No offer",
             cost_of_error=12.5)  # fmt: skip
    desk.add("postures", decision="DEC-0001", metric="model.auc", comparator="at least", acceptable=0.7, why="Cheap",
             oversight="o", escalation="e", fallback="f", declared_by=user("omar"), next_review=LATER)  # fmt: skip
    kept = evidence.keep(evidence.folder(Settings(home=home)), io.BytesIO(b"a test report"))
    desk.add("evidence", "anna", title="Report", type="test report", basis="observed", owner=user("anna"),
             sha256=kept.sha256, bytes=kept.bytes)  # fmt: skip
    desk.add(
        "appetites",
        "carl",
        category="privacy",
        appetite=4,
        tolerance=8,
        statement="Little",
        next_review=LATER,
    )
    risk = desk.add("risks", **RISK)
    desk.change(risk, "carl", residual_impact=2)
    desk.add("controls", risk="RISK-0001", title="Drift alarm", type="detective", effectiveness="effective",
             evidence="EVI-0001", owner=user("omar"), next_review=LATER)  # fmt: skip
    request = desk.add("acceptances", risk="RISK-0001", justification="Small", expires=LATER)
    desk.step("accept", desk.step("submit", request), "carl")
    desk.add("exceptions", initiative="churn", rule="Second review", justification="Late", expires=LATER)
    desk.add("contracts", "anna", record_id="signals-1", title="Signals", contract_version="1.0.0", status="active",
             table_name="signals", owner=user("anna"), document="{}", freshness_hours=24.0)  # fmt: skip
    desk.add(
        "operability", initiative="churn", rollback_plan="Switch off", owner=user("omar"), next_review=LATER
    )
    desk.add("targets", metric="model.auc", comparator="at least", threshold=0.75, valid_from=LATER, initiative="churn",
             owner=user("omar"))  # fmt: skip
    desk.add("check_ins", target="TGT-0001", confidence="on track", comment="Good")
    with contextlib.suppress(Denied):
        desk.change(churn, "vera", title="Mine")
    desk.add("users", ROOT, issuer="demo", subject="zoe", name="Zoë", roles=("viewer",))
    return desk
