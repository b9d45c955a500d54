"""Register criteria: what the ledger itself must show. Each gives met, not met or no data, why, and the records read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from app.govern.gates.criteria import Criterion
from app.govern.gates.look import Look
from app.govern.lint import score
from app.govern.model import Row
from metrics.core.verdict import State

Found = tuple[State, str, tuple[str, ...]]
Check = Callable[[Look, Row, Criterion, dt.date], Found]


def said(row: Row) -> str:
    """A record with its version."""
    return f"{row.register} {row.record_id} version {row.version}"


def _overdue(row: Row, today: dt.date) -> str:
    due = row["next_review"]
    return f"its review was due on {due}" if isinstance(due, dt.date) and due < today else ""


def owner(look: Look, initiative: Row, _: Criterion, today: dt.date) -> Found:
    row = look.find("ownership", initiative.record_id)
    if row is None or row.state != "active":
        return State.NO_DATA, "nobody is accountable; fill in its ownership", ()
    person = look.find("users", row.text("accountable"))
    if person is None or person.state != "active":
        return State.NOT_MET, "the accountable person is no active user", (said(row),)
    late = _overdue(row, today)
    if late:
        return State.NOT_MET, f"{person.text('name')} is accountable, but {late}", (said(row),)
    return State.MET, f"{person.text('name')} is accountable: {row.text('authority')}", (said(row),)


def hypothesis(_: Look, initiative: Row, __: Criterion, ___: dt.date) -> Found:
    missing = [
        name
        for name, field in (
            ("a metric", "baseline_metric"),
            ("a smallest improvement", "minimum_improvement"),
        )
        if initiative[field] is None
    ]
    if missing:
        return State.NOT_MET, f"the hypothesis lacks {' and '.join(missing)}", (said(initiative),)
    text = f"{initiative.text('baseline_metric')} by at least {initiative['minimum_improvement']:g}"
    return State.MET, text, (said(initiative),)


def decisions(look: Look, initiative: Row, _: Criterion, __: dt.date) -> Found:
    found = look.of("decisions", "initiative", initiative.record_id)
    if not found:
        return State.NO_DATA, "no decision that it takes is recorded", ()
    return State.MET, f"{len(found)} recorded, with oversight and fallback", tuple(said(d) for d in found)


def posture(look: Look, initiative: Row, _: Criterion, today: dt.date) -> Found:
    taken = look.of("decisions", "initiative", initiative.record_id)
    if not taken:
        return State.NO_DATA, "no decision that it takes is recorded, so no error can be declared", ()
    facts: list[str] = []
    for decision in taken:
        declared = look.of("postures", "decision", decision.record_id)
        if not declared:
            return State.NO_DATA, f"no acceptable error is declared for {decision.record_id}", tuple(facts)
        late = next((p for p in declared if _overdue(p, today)), None)
        if late:
            return State.NOT_MET, f"{late.record_id}: {_overdue(late, today)}", (said(late),)
        facts += [said(p) for p in declared]
    return State.MET, f"declared for {len(taken)} of {len(taken)} decisions", tuple(facts)


def baseline(look: Look, initiative: Row, _: Criterion, __: dt.date) -> Found:
    found = look.of("baselines", "initiative", initiative.record_id)
    approved = [b for b in found if b.state in ("approved", "accepted")]
    if approved:
        return State.MET, f"{approved[-1].record_id} is approved", tuple(said(b) for b in approved)
    if found:
        return State.NOT_MET, f"{found[-1].record_id} is {found[-1].state}", tuple(said(b) for b in found)
    return State.NO_DATA, "no baseline is recorded", ()


def risks(look: Look, initiative: Row, _: Criterion, today: dt.date) -> Found:
    found = look.of("risks", "initiative", initiative.record_id)
    if not found:
        return State.NO_DATA, "no risk is recorded; nothing is without one", ()
    facts = tuple(said(r) for r in found)
    for risk in found:
        why = _beyond(look, risk, today)
        if why:
            return State.NOT_MET, f"{risk.record_id} {risk.text('title')}: {why}", facts
    return State.MET, f"{len(found)} recorded, all inside tolerance or accepted", facts


def _beyond(look: Look, risk: Row, today: dt.date) -> str:
    """Why a risk is not inside tolerance; empty where it is, or where bearing it was accepted."""
    left = score(risk, "residual")
    appetite = look.find("appetites", risk.text("category"))
    tolerance = appetite["tolerance"] if appetite is not None and appetite.state == "active" else None
    if left is None:
        return "what would be left after treatment is not rated"
    if not isinstance(tolerance, int):
        return f"no tolerance is set for {risk.text('category')}"
    if left <= tolerance:
        return ""
    for held in look.of("acceptances", "risk", risk.record_id):
        until = held["expires"]
        if held.state == "accepted" and not (isinstance(until, dt.date) and until < today):
            return ""
    return f"residual {left} is above tolerance {tolerance} and nobody has accepted it"


def rollback(look: Look, initiative: Row, one: Criterion, today: dt.date) -> Found:
    row = look.find("operability", initiative.record_id)
    if row is None or row.state != "active":
        return State.NO_DATA, "no rollback plan is recorded", ()
    tested = row["rollback_tested"]
    if not isinstance(tested, dt.date):
        return State.NO_DATA, "the rollback was never tested", (said(row),)
    age = (today - tested).days
    if age > one.max_age_days:
        return State.STALE, f"last tested {age} days ago; {one.max_age_days} are allowed", (said(row),)
    return State.MET, f"tested on {tested}", (said(row),)


def runbook(look: Look, initiative: Row, _: Criterion, __: dt.date) -> Found:
    row = look.find("operability", initiative.record_id)
    if row is None or row.state != "active":
        return State.NO_DATA, "nothing about running or stopping it is recorded", ()
    missing = [
        n for n, field in (("a runbook", "runbook"), ("who is called", "on_call")) if row[field] is None
    ]
    if missing:
        return State.NOT_MET, f"it lacks {' and '.join(missing)}", (said(row),)
    return State.MET, f"{row.text('on_call')}; {row.text('runbook')}", (said(row),)


def validation(look: Look, initiative: Row, _: Criterion, today: dt.date) -> Found:
    found = [
        e for e in look.of("evidence", "initiative", initiative.record_id) if e["type"] == "validation report"
    ]
    seen = [e for e in found if e["basis"] == "observed"]
    if not seen:
        return (
            State.NO_DATA,
            "no validation report with observed basis is recorded",
            tuple(said(e) for e in found),
        )
    until = seen[-1]["expires"]
    if isinstance(until, dt.date) and until < today:
        return State.STALE, f"{seen[-1].record_id} expired on {until}", (said(seen[-1]),)
    return State.MET, f"{seen[-1].record_id} {seen[-1].text('title')}", (said(seen[-1]),)


def nothing_open(look: Look, initiative: Row, _: Criterion, __: dt.date) -> Found:
    own = {r.record_id for r in look.of("risks", "initiative", initiative.record_id)}
    held = [a for a in look.live("acceptances") if a["risk"] in own]
    held += look.of("exceptions", "initiative", initiative.record_id)
    if held:
        return State.NOT_MET, f"{held[0].record_id} is {held[0].state}", tuple(said(r) for r in held)
    return State.MET, "no acceptance or exception is in force or waits", (said(initiative),)


CHECKS: Mapping[str, Check] = {
    "owner": owner, "hypothesis": hypothesis, "decisions": decisions, "posture": posture, "baseline": baseline,
    "risks": risks, "rollback": rollback, "runbook": runbook, "validation": validation, "nothing open": nothing_open,
}  # fmt: skip
BY_EVALUATION = ("contracts", "card")  # those that need Readings
