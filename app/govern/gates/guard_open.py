"""What must hold when a review is opened: rules, members and criteria are those of the registers at that moment."""

from __future__ import annotations

import datetime as dt

from app.govern import rows
from app.govern.gates import criteria as terms
from app.govern.gates import decided, panel
from app.govern.gates.attempt import Attempt, demand, invalid, whole
from app.govern.model import Denied
from data.policies.gates import template_on


def open_(a: Attempt) -> None:
    """A request: rules, members and criteria are those of the registers at this moment, the snapshot is whole."""
    initiative = rows.current(a.db, "initiatives", a.text("initiative"))
    if initiative is None:
        raise invalid("initiative", "there is no initiative of this name")
    template = template_on(a.look.at.date())
    tier, track, gate = initiative.text("materiality"), a.text("track"), a.text("gate")
    demand(
        a.text("template") == template.version,
        "template",
        f"the template in force is {template.version}; open again",
    )
    demand(a.text("tier") == tier, "tier", f"the initiative is of {tier}; open again")
    rules = template.rule(tier, track)
    demand(
        decided.open_review(a.look, initiative.record_id, gate) is None,
        "gate",
        "a review of this gate is open already",
    )
    council = panel.panel(a.db, a.look, initiative, a.actor.identity, a.words("contributors"), rules)
    demand(
        a.words("contributors") == council.contributors,
        "contributors",
        "who contributed has changed; open again",
    )
    demand(a.words("members") == council.members, "members", "the council has changed; open again")
    demand(a.values["quorum"] == council.quorum, "quorum", f"the quorum is {council.quorum}; open again")
    demand(
        council.enough, "members",
        f"{len(council.members)} independent members, {council.quorum} must vote; name more council members",
    )  # fmt: skip
    demand(
        a.values["approval"] == rules.approval, "approval", f"the rules say {rules.approval:g}; open again"
    )
    _fast(a, template.gate(gate).expedited, rules.ratify_days)
    frozen = terms.resolve(a.look, initiative, template, gate, track)
    demand(a.text("criteria") == terms.written(frozen), "criteria", "the criteria have changed; open again")
    whole(a, "snapshot", terms.written(frozen), (initiative.record_id, gate, track))
    _follows(a, initiative.record_id, gate)


def _fast(a: Attempt, leads: bool, days: int | None) -> None:  # noqa: FBT001
    """The expedited track: only where the template has it, with a reason, to be ratified in time."""
    by = a.values["ratify_by"]
    if a.text("track") == "standard":
        demand(by is None, "ratify_by", "the standard track needs no ratification; leave it empty")
        return
    demand(leads, "track", f"no expedited track leads through the gate {a.text('gate')}")
    demand(a.text("justification"), "justification", "say why it cannot wait")
    last = a.look.at.date() + dt.timedelta(days=days or 0)
    demand(
        isinstance(by, dt.date) and a.look.at.date() <= by <= last, "ratify_by", f"write a day until {last}"
    )


def _follows(a: Attempt, initiative: str, gate: str) -> None:
    """A review after a decision names it, so that the decision's later fate can be read from it."""
    before = decided.living(a.look, initiative, gate)
    named = a.text("reopens")
    if before is None:
        demand(not named, "reopens", "no decision of this gate stands; leave it empty")
    else:
        demand(named == before.record_id, "reopens", f"name {before.record_id}, which stands")
        fast = decided.review_of(a.look, before)["track"] == "expedited"
        twice = fast and before["outcome"] in decided.GO and a.text("track") == "expedited"
        demand(
            not twice,
            "track",
            f"{before.record_id} was expedited; it is ratified on the standard track, not renewed",
        )


def withdraw(a: Attempt) -> None:
    if a.look.find("gate_decisions", a.record_id) is not None:
        raise Denied(f"{a.record_id} is decided; a decision is revoked or superseded, not withdrawn")
