"""A ledger with a row in every register, several versions, decided requests and a denial."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from pathlib import Path

import pytest

from app.govern import commands, evidence
from app.govern.model import SYSTEM, Actor, Denied
from app.settings import Settings
from tests.ledger import homes
from tests.ledger.homes import INITIATIVE, OWNERSHIP, RISK, ROOT, Desk, user

LATER = dt.date(2027, 1, 1)
APP = Actor(SYSTEM, "throughline")


def council(desk: Desk) -> None:
    """A row in each of the council's registers. Its rules, which tests/ledger/test_gates.py tries, are not asked here."""
    review = {
        "initiative": "churn", "gate": "scale", "track": "standard", "request": "Scale it", "template": "1", "tier": "tier 1",
        "members": (user("carl"), user("cleo")), "quorum": 1, "approval": 0.5, "criteria": "[]", "snapshot": "[]",
        "snapshot_sha256": "c" * 64,
    }  # fmt: skip
    decision = {
        "review": "GATE-0001", "outcome": "go", "context": "c", "options": "o", "drivers": "d", "consequences": "e",
        "tally": "1 approves", "basis": "[]", "basis_sha256": "d" * 64,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_council_rules", lambda *_: None)
        patch.setattr(commands, "why_not", lambda *_: None)
        desk.add("gate_reviews", **review)
        desk.add("gate_delegations", "cleo", review="GATE-0001", delegate=user("carl"))
        desk.add(
            "gate_votes", "carl", record_id="vote", review="GATE-0001", seat=user("carl"), vote="approve"
        )
        desk.add(
            "conditions",
            "carl",
            review="GATE-0001",
            title="It lasts",
            kind="hold from now",
            owner=user("omar"),
            due=LATER,
        )
        desk.add("gate_decisions", "carl", record_id="GATE-0001", **decision)
        desk.add("gate_revocations", "carl", record_id="GATE-0001", decision="GATE-0001", why="Wrong")
        desk.add(
            "gate_events", APP, decision="GATE-0001", event="returned", condition="COND-0001", why="Breached"
        )
        desk.add("meetings", "carl", title="November", agenda=("review GATE-0001",))
        here = desk.add("attendances", "carl", record_id="here", meeting="MEET-0001", person=user("carl"))
        desk.step("return", desk.step("leave", here, "carl"), "carl")
        desk.add(
            "minutes", "carl", record_id="MEET-0001", meeting="MEET-0001", record="{}", record_sha256="e" * 64
        )


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
    rows = evidence.keep(evidence.folder(Settings(home=home)), io.BytesIO(b"period,value,n"))
    before = desk.add("baselines", "anna", record_id="before", title="Before", metric="model.auc", grain="month",
                      initiative="churn", template="1", decimal="point", date_order="year-month-day", zone="UTC",
                      file_name="b.csv", sha256=rows.sha256, bytes=rows.bytes, rows_sha256=rows.sha256, rows=1,
                      first=LATER, last=LATER, value=0.7)  # fmt: skip
    desk.step("approve", desk.step("submit", before, "anna"), "carl")
    desk.add("studies", "anna", record_id="plan", title="Plan", design="did", initiative="churn", baseline="before",
             plan_hash="a" * 64, plan="{}", warnings=("a changed plan",))  # fmt: skip
    desk.add("study_results", "anna", record_id="result", study="plan", data_hash="b" * 64, sha256=rows.sha256,
             bytes=rows.bytes, grade="blocked", counted=False, blocked_by=("pre_trend",), estimate=1.5,
             diagnostics="[]")  # fmt: skip
    desk.add("milestones", initiative="churn", kind="production", title="Live", due=LATER, owner=user("omar"))
    desk.add("conclusions", "anna", initiative="churn", experiment="trial", study="plan", concluded=LATER, finding="None",
             effect="confirmed a decision", owner=user("anna"))  # fmt: skip
    council(desk)
    told = desk.add("alerts", APP, record_id="told", event="lapsed/acceptances/ACC-0001", kind="lapsed",
                    about_register="acceptances", about_record="ACC-0001", recipient=user("omar"), subject="Lapsed",
                    message="It has lapsed.", due=LATER)  # fmt: skip
    desk.step("send", desk.step("claim", told, APP), APP)
    desk.add("publications", APP, record_id="2026-11-01T09:00:00Z", kind="day", as_of=homes.NOW, first=LATER, last=LATER,
             readings=1, sha256="e" * 64, part=1, parts=1, document="{}")  # fmt: skip
    desk.add("comments", "vera", metric="model.auc", scope=("model_id=m1",), about=LATER, comment="Why?")
    done = desk.add(
        "interventions",
        metric="model.auc",
        initiative="churn",
        done_on=LATER,
        what="Trained",
        owner=user("omar"),
    )
    desk.step("withdraw", done)
    desk.add(
        "saved_views",
        "vera",
        title="Churn, last year",
        page="models",
        choices="model=churn_v3&period=52+weeks",
    )
    with contextlib.suppress(Denied):
        desk.change(churn, "vera", title="Mine")
    desk.add("users", ROOT, issuer="demo", subject="zoe", name="Zoë", roles=("viewer",))
    return desk
