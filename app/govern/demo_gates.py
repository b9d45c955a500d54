"""The council in the diary: what was asked of it, who voted how, what it decided on which numbers, and what became of it.

Evidence is measured as it was known on the day of each act. Where a small demo cannot carry the outcome that the diary
plans, the council holds: nothing passes here that the rules refuse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from app.govern.commands import execute, values_of
from app.govern.demo_acts import Act, InDays, add, by, person
from app.govern.gates import decided, watch
from app.govern.gates.evaluate import Sources, sources_at
from app.govern.gates.review import (
    Reasons,
    Request,
    deciding,
    delegating,
    opening,
    review_row,
    revoking,
    sight,
    voting,
)
from app.govern.model import Actor, Add, Command, Ledger, Receipt
from app.runtime import Runtime
from data.policies.gates import Outcome

_RECENT = dt.timedelta(days=14)  # contracts are measured today; they speak about reviews of these days


@dataclass(frozen=True)
class Scene:
    """Where an act takes place. `held`: records of earlier acts by their names in the diary."""

    runtime: Runtime
    ledger: Ledger
    now: dt.datetime
    actor: Actor
    key: str
    held: Mapping[str, str]

    @property
    def sources(self) -> Sources:
        """What was known at the moment of the act."""
        moment = self.ledger.clock()
        found = sources_at(self.runtime, self.ledger, moment)
        if self.now - moment > _RECENT:
            return found
        from app.govern.admissibility import failures

        return replace(found, inadmissible=lambda metric: failures(self.runtime, metric))

    def do(self, command: Command) -> Receipt:
        return execute(self.ledger, command, self.actor, self.key)


Plan = Callable[[Scene], Receipt | None]


def _act(days_ago: int, who: str, register: str, name: str, plan: Plan) -> Act:
    return Act(days_ago, by(who), "add", register, name, plan=plan)


def _open(
    days_ago: int, who: str, name: str, slug: str, gate: str, request: str, why: str = "", days: int = 0
) -> Act:
    """`why`, `days`: of the expedited track, the reason and the days until it has to be ratified."""

    def plan(scene: Scene) -> Receipt:
        until = scene.ledger.clock().date() + dt.timedelta(days=days) if days else None
        asked = Request(slug, gate, request, "expedited" if days else "standard", why, until)
        return scene.do(opening(scene.ledger, scene.sources, scene.actor, asked))

    return _act(days_ago, who, "gate_reviews", name, plan)


def _vote(days_ago: int, who: str, name: str, vote: str, statement: str = "") -> Act:
    def plan(scene: Scene) -> Receipt:
        look = scene.sources.look
        return scene.do(voting(look, review_row(look, scene.held[name]), scene.actor, vote, statement))

    return _act(days_ago, who, "gate_votes", f"{name}-{who}", plan)


def _delegate(days_ago: int, who: str, name: str, delegate: str) -> Act:
    def plan(scene: Scene) -> Receipt:
        return scene.do(delegating(review_row(scene.sources.look, scene.held[name]), person(delegate)))

    return _act(days_ago, who, "gate_delegations", f"{name}-{who}-delegates", plan)


def _condition(days_ago: int, who: str, name: str, title: str, owner: str, due: int, **terms: object) -> Act:
    """`due`: days from the day of the fill; negative lies in the past."""

    def plan(scene: Scene) -> Receipt:
        values = values_of(
            review=scene.held[name], title=title, owner=person(owner), due=scene.now.date() + dt.timedelta(days=due),
            **terms,  # type: ignore[arg-type]
        )  # fmt: skip
        return scene.do(Add("conditions", values))

    return _act(days_ago, who, "conditions", f"{name}-{title}", plan)


def _decide(days_ago: int, who: str, name: str, outcome: Outcome, reasons: Reasons) -> Act:
    def plan(scene: Scene) -> Receipt:
        found = scene.sources
        review = review_row(found.look, scene.held[name])
        seen = sight(found, review)
        able = outcome if outcome in seen.outcomes else Outcome.HOLD
        return scene.do(deciding(found, review, able, reasons, seen.basis.sha256))

    return _act(days_ago, who, "gate_decisions", f"{name}-decision", plan)


def _revoke(days_ago: int, who: str, name: str, why: str) -> Act:
    def plan(scene: Scene) -> Receipt | None:
        decision = scene.sources.look.find("gate_decisions", scene.held[name])
        assert decision is not None
        standing = decided.stands(scene.sources.look, decision) in decided.LIVING
        return scene.do(revoking(decision, why)) if standing else None

    return _act(days_ago, who, "gate_revocations", f"{name}-revoked", plan)


def _watch(days_ago: int) -> Act:
    """The app looks at conditions and expedited decisions, as it does every night."""

    def plan(scene: Scene) -> None:
        watch.act(scene.ledger, scene.sources)

    return _act(days_ago, "throughline", "gate_events", f"night-{days_ago}", plan)


def _council(subject: str, name: str) -> Act:
    values = (("issuer", "demo"), ("subject", subject), ("name", name), ("roles", ("council",)))
    return Act(399, by("adam"), "add", "users", person(subject), values)


def _runs(days_ago: int, who: str, slug: str, owner: str, tested: int, *claims: str) -> Act:
    return add(
        days_ago, who, "operability", f"run-{slug}", record_id=slug, initiative=slug, owner=person(owner),
        rollback_plan="Switch it off; the former way of working goes on the same day.", rollback_tested=InDays(tested),
        rollback_minutes=30.0, runbook=f"Wiki, operations, {slug}", on_call="Rota of the platform team",
        card_claims=claims or None, next_review=InDays(50),
    )  # fmt: skip


def _takes(days_ago: int, who: str, slug: str, title: str, metric: str, least: float) -> tuple[Act, Act]:
    """A decision that an initiative takes, and the error it may have."""
    watch_ = {
        "oversight": "A sample of 50 is looked at every week.", "escalation": "The accountable owner, the same day.",
        "fallback": "The way of working before the model.",
    }  # fmt: skip
    return (
        add(
            days_ago, who, "decisions", f"dec-{slug}", initiative=slug, title=title, decider=person(who),
            frequency="daily", automation="advice", **watch_,
        ),
        add(
            days_ago - 1, who, "postures", f"pos-{slug}", decision=f"@dec-{slug}", metric=metric, comparator="at least",
            acceptable=least, why="Below this the way of working before does better.", declared_by=person(who),
            next_review=InDays(80), **watch_,
        ),
    )  # fmt: skip


READY = (
    _council("nadia", "Nadia Haddad"),
    _council("oskar", "Oskar Lind"),
    *_takes(234, "karl", "demand-forecast", "How much of an item is ordered", "model.auc", 0.7),
    _runs(156, "karl", "demand-forecast", "priya", -60, "model.auc=0.80"),
    *_takes(233, "elena", "agent-assist", "Which draft an agent is shown", "model.precision", 0.5),
    _runs(150, "elena", "agent-assist", "elena", -90),
)

_HYPOTHESES = (
    _open(376, "jonas", "g-lead", "lead-scoring", "hypothesis", "Spend three months on a first model for lead scoring."),
    _vote(375, "hanna", "g-lead", "approve"),
    _vote(375, "david", "g-lead", "approve"),
    _vote(375, "oskar", "g-lead", "abstain", "I know too little of sales."),
    _decide(
        374, "hanna", "g-lead", Outcome.GO,
        Reasons("Sales calls leads in the order in which they come.", "Score the leads, or hire for the phones.",
                "The hypothesis can be refuted in a trial within a quarter.", "Jonas Weber starts on the data."),
    ),
    _open(255, "karl", "g-dev", "developer-tool", "hypothesis", "Try the developer tool with 60 people."),
    _vote(254, "hanna", "g-dev", "approve"),
    _vote(254, "david", "g-dev", "approve"),
    _vote(254, "nadia", "g-dev", "approve"),
    _decide(
        253, "david", "g-dev", Outcome.GO,
        Reasons("Developers ask for it.", "Buy it for all, try it, or wait.", "A randomised trial costs little.",
                "Engineering runs the trial for two quarters."),
    ),
    _revoke(30, "david", "g-dev-decision", "The trial shows that tasks take longer with the tool; no more seats are bought."),
)  # fmt: skip

_LAPSED = (
    _open(
        140, "elena", "g-assist", "agent-assist", "pilot", "Start the pilot with twelve agents before the winter peak.",
        "The winter peak begins in two weeks; the next meeting is after it.", 30,
    ),
    _vote(139, "hanna", "g-assist", "approve"),
    _vote(139, "nadia", "g-assist", "approve"),
    _vote(139, "david", "g-assist", "approve"),
    _decide(
        139, "hanna", "g-assist", Outcome.GO,
        Reasons("Cases pile up every winter.", "Start now with twelve agents, or wait for spring.",
                "Agents read every draft before it is sent.", "Elena Rossi asks for the ratification within 30 days."),
    ),
    _watch(100),
)  # fmt: skip

_OUTDATED = (
    _open(132, "karl", "g-demand", "demand-forecast", "scale", "Order all 14 warehouses by forecast."),
    _vote(131, "hanna", "g-demand", "approve"),
    _vote(131, "david", "g-demand", "approve"),
    _vote(
        131, "oskar", "g-demand", "reject",
        "Six weeks of a trial overstate what lasts. I would scale to four warehouses and look again in a quarter.",
    ),
    _decide(
        130, "hanna", "g-demand", Outcome.GO,
        Reasons("The trial runs in two warehouses.", "Scale to all, scale to four, or wait.",
                "The lower bound of the effect is above the business case.", "Supply orders by forecast from next month."),
    ),
)  # fmt: skip

_BREACHED = (
    _open(66, "mira", "g-churn", "churn-retention", "pilot", "Call customers at risk in two regions."),
    _condition(
        64, "david", "g-churn", "Four of five customers are called within the window", "mira", -20, kind="reach by the day",
        metric="activation.in_window_share", comparator="at least", threshold=0.8, scope=("model_id=churn_v3",),
    ),
    _condition(
        64, "hanna", "g-churn", "The baseline is approved by a second person", "mira", 40, kind="reach by the day",
        criterion="baseline",
    ),
    _vote(63, "hanna", "g-churn", "approve with conditions", "Calls that come late help nobody."),
    _vote(63, "david", "g-churn", "approve with conditions", "As Hanna; and we need to know where we started."),
    _vote(62, "nadia", "g-churn", "approve"),
    _decide(
        61, "hanna", "g-churn", Outcome.CONDITIONAL,
        Reasons("Customers leave over things that could be mended.", "Pilot in two regions, or wait for hourly batches.",
                "The model ranks well; the calls come late.", "Mira Okafor mends the batches within six weeks."),
    ),
    _watch(19),
)  # fmt: skip

_OPEN = (
    _open(4, "jonas", "g-lead-scale", "lead-scoring", "scale", "Score the leads of all regions."),
    _vote(3, "david", "g-lead-scale", "approve"),
    _vote(3, "nadia", "g-lead-scale", "approve"),
    _open(3, "priya", "g-demand-again", "demand-forecast", "scale", "Look again: may all warehouses go on ordering by forecast?"),
    _vote(2, "oskar", "g-demand-again", "reject", "The interval straddles what was promised, as I feared."),
    _open(2, "priya", "g-fraud", "fraud-screening", "sustain", "Keep screening for another half year."),
    _delegate(2, "nadia", "g-fraud", "elena"),
    _vote(1, "oskar", "g-fraud", "recused", "I led the payments team until last spring."),
)  # fmt: skip

ACTS = (*READY, *_HYPOTHESES, *_LAPSED, *_OUTDATED, *_BREACHED, *_OPEN)
