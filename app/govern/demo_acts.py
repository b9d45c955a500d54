"""What people of the simulated enterprise did in the ledger: users, initiatives, who answers for them, what they decide.

Read as a diary: each act says how many days ago, who, and what. `@name` stands for the record of an earlier act.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.govern.model import OPERATOR, Actor, Receipt
from data.ledger_types import Value


@dataclass(frozen=True)
class InDays:
    """A day counted from the day of the fill; negative lies in the past."""

    days: int


Planned = Value | InDays


@dataclass(frozen=True)
class Act:
    """One command of the diary. `name`: how later acts speak of its record. `plan` carries it out where values are measured."""

    days_ago: int
    who: Actor
    verb: str
    register: str
    name: str
    values: tuple[tuple[str, Planned], ...] = ()
    record_id: str = ""
    reason: str = ""
    plan: Callable[[Any], Receipt | None] | None = None


OPERATED = Actor(OPERATOR, "demo")


def by(name: str) -> Actor:
    return Actor("demo", name)


def person(name: str) -> str:
    """The identity of a persona, as person fields hold it."""
    return by(name).identity


def add(days_ago: int, who: str, register: str, name: str, /, **values: Planned) -> Act:
    """A new record; a value called `record_id` names it."""
    record_id = str(values.pop("record_id", ""))
    return Act(days_ago, by(who), "add", register, name, tuple(values.items()), record_id)


def change(days_ago: int, who: str, register: str, name: str, reason: str = "", /, **values: Planned) -> Act:
    return Act(days_ago, by(who), "change", register, name, tuple(values.items()), "", reason)


def step(days_ago: int, who: str, verb: str, register: str, name: str, reason: str = "") -> Act:
    return Act(days_ago, by(who), verb, register, name, (), "", reason)


def _user(days_ago: int, who: Actor, subject: str, name: str, *roles: str) -> Act:
    values: tuple[tuple[str, Planned], ...] = (
        ("issuer", "demo"), ("subject", subject), ("name", name), ("roles", roles),
    )  # fmt: skip
    return Act(days_ago, who, "add", "users", person(subject), values)


_ADAM = by("adam")
USERS = (
    _user(400, OPERATED, "adam", "Adam Fischer", "admin"),
    _user(399, _ADAM, "hanna", "Hanna Lindqvist", "council"),
    _user(399, _ADAM, "david", "David Mensah", "council"),
    _user(399, _ADAM, "mira", "Mira Okafor", "owner"),
    _user(399, _ADAM, "jonas", "Jonas Weber", "owner"),
    _user(399, _ADAM, "elena", "Elena Rossi", "owner"),
    _user(399, _ADAM, "priya", "Priya Shah", "owner"),
    _user(399, _ADAM, "karl", "Karl Brandt", "owner"),
    _user(398, _ADAM, "tom", "Tom Novak", "analyst"),
    _user(398, _ADAM, "vera", "Vera Costa", "viewer"),
)


def _initiative(
    days_ago: int, who: str, slug: str, title: str, hypothesis: str, outcome: str, **values: Planned
) -> Act:
    given: dict[str, Planned] = {
        "title": title, "hypothesis": hypothesis, "outcome": outcome, "sponsor": person(who),
        "started": InDays(-days_ago), "frameworks": ("NIST AI RMF MAP 1.1", "ISO 42001 6.1.4"), **values,
    }  # fmt: skip
    return Act(days_ago, by(who), "add", "initiatives", slug, tuple(given.items()), slug)


_LIMITED: dict[str, Planned] = {"eu_class": "limited", "eu_role": "deployer"}
_MINIMAL: dict[str, Planned] = {"eu_class": "minimal", "eu_role": "deployer"}
INITIATIVES = (
    _initiative(
        390, "mira", "churn-retention", "Churn retention",
        "If customers about to leave are called in time, more of them stay, because most leave over something we can mend.",
        "A customer at risk accepts an offer and stays 90 days.", baseline_metric="value.mean_difference",
        minimum_improvement=0.02, stage="pilot", materiality="tier 1", layer="models", model_ids=("churn_v3",),
        experiment_ids=("churn_holdout",), **_MINIMAL,
    ),
    _initiative(
        385, "jonas", "lead-scoring", "Lead scoring",
        "If sales calls the likeliest buyers first, more calls end in a sale, because time is the scarce good.",
        "A lead that is called buys within 30 days.", baseline_metric="value.mean_difference", minimum_improvement=2.0,
        stage="production", materiality="tier 2", layer="models", model_ids=("lead_v2",), experiment_ids=("lead_holdout",),
        **_MINIMAL,
    ),
    _initiative(
        380, "elena", "offer-engine", "Next best offer",
        "If each customer sees the offer that fits, they spend more, because most offers today fit nobody.",
        "A customer redeems an offer within 14 days.", baseline_metric="value.mean_difference", minimum_improvement=1.0,
        stage="scale", materiality="tier 1", layer="orchestration", model_ids=("offer_v5",),
        experiment_ids=("offers_holdout",), **_LIMITED,
    ),
    _initiative(
        300, "elena", "agent-assist", "Agent assist",
        "If agents get a drafted answer, they solve a case sooner, because searching takes half of their time.",
        "A case is closed at first contact.", stage="pilot", materiality="tier 2", layer="inference",
        model_ids=("assist_v2",), **_LIMITED,
    ),
    _initiative(
        260, "karl", "developer-tool", "Developer tool",
        "If developers write with a tool, they finish more tasks, because routine code takes their mornings.",
        "A task is finished sooner without more defects.", baseline_metric="value.mean_difference",
        minimum_improvement=0.1, stage="pilot", materiality="tier 3", layer="inference",
        experiment_ids=("devtool_trial",), **_MINIMAL,
    ),
    _initiative(
        60, "jonas", "pricing-pilot", "Pricing pilot",
        "If quotes follow the chance to win, margin rises, because discounts are given where nobody asked.",
        "A quote is won at a smaller discount.", stage="data reality", materiality="tier 2", layer="models",
        model_ids=("price_v1",), **_MINIMAL,
    ),
    _initiative(
        370, "karl", "demand-forecast", "Demand forecast",
        "If stock is ordered by forecast, fewer shelves are empty and less is thrown away.",
        "A product is there when it is asked for.", baseline_metric="value.mean_difference", minimum_improvement=3.0,
        stage="production", materiality="tier 1", layer="data", model_ids=("demand_v4",),
        experiment_ids=("demand_trial",), **_MINIMAL,
    ),
    _initiative(
        395, "priya", "fraud-screening", "Fraud screening",
        "If doubtful payments are held for a look, less is lost, because fraud is rare and follows patterns.",
        "A fraudulent payment is stopped before it leaves.", baseline_metric="model.recall", minimum_improvement=0.05,
        stage="sustain", materiality="tier 1", layer="models", model_ids=("fraud_v7",), eu_class="high-risk",
        eu_role="deployer",
    ),
)  # fmt: skip


def _ownership(days_ago: int, slug: str, who: str, authority: str, review: int, **values: Planned) -> Act:
    given: dict[str, Planned] = {
        "initiative": slug, "accountable": person(who), "authority": authority, "since": InDays(-days_ago),
        "review_days": 180, "next_review": InDays(review), "technical_owner": person("tom"), **values,
    }  # fmt: skip
    return Act(days_ago, by("hanna"), "add", "ownership", f"own-{slug}", tuple(given.items()), slug)


OWNERSHIP = (
    _ownership(388, "churn-retention", "mira", "Budget of customer care", 40, delegate=person("elena")),
    _ownership(383, "lead-scoring", "jonas", "Head of sales operations", 75),
    _ownership(378, "offer-engine", "elena", "Budget of marketing", -23, data_steward=person("tom")),
    _ownership(298, "agent-assist", "elena", "Mandate of the service board", -5),
    _ownership(258, "developer-tool", "karl", "Budget of engineering", 20),
    _ownership(368, "demand-forecast", "karl", "Head of supply", 55),
    _ownership(393, "fraud-screening", "priya", "Head of payments risk", 90, validator=person("david")),
    # Karl left; what he answered for was handed over before his account was closed.
    change(
        90, "hanna", "ownership", "own-developer-tool", "Karl Brandt leaves", accountable=person("mira"),
        since=InDays(-90),
    ),
    change(
        90, "hanna", "ownership", "own-demand-forecast", "Karl Brandt leaves", accountable=person("priya"),
        since=InDays(-90),
    ),
    change(89, "hanna", "initiatives", "developer-tool", "Karl Brandt leaves", sponsor=person("mira")),
    change(89, "hanna", "initiatives", "demand-forecast", "Karl Brandt leaves", sponsor=person("priya")),
    step(85, "adam", "retire", "users", person("karl"), "left the company"),
    # The pilot's sponsor gave it up, and nobody has taken it over: the orphan.
    change(20, "hanna", "initiatives", "pricing-pilot", "Jonas Weber hands it back", sponsor=None),
    change(250, "mira", "initiatives", "churn-retention", "Model 3.1 is live for a tenth", layer="orchestration"),
    change(210, "jonas", "initiatives", "lead-scoring", "The trial convinced sales", contact=person("tom")),
    change(150, "elena", "initiatives", "offer-engine", "More channels", contact=person("tom")),
)  # fmt: skip


def _decision(
    days_ago: int, who: str, slug: str, title: str, error: float, automation: str, bound: tuple[str, float], review: int
) -> tuple[Act, Act]:  # fmt: skip
    """`bound`: the error metric and the least acceptable value."""
    name = f"dec-{slug}"
    watch: dict[str, Planned] = {
        "oversight": "A person looks at a sample every week and can stop the release.",
        "escalation": "To the owner within one working day, then to the council.",
        "fallback": "The rule that was in use before the model.",
    }
    return (
        add(
            days_ago, who, "decisions", name, initiative=slug, title=title, decider=person(who), frequency="daily",
            cost_of_error=error, cost_of_delay=error * 4, automation=automation, **watch,
        ),
        add(
            days_ago - 1, who, "postures", f"pos-{slug}", decision=f"@{name}", metric=bound[0], comparator="at least",
            acceptable=bound[1], why="Below this the rule in use before does better.", declared_by=person(who),
            next_review=InDays(review), **watch,
        ),
    )  # fmt: skip


DECISIONS = (
    *_decision(240, "mira", "churn-retention", "Who is called", 35.0, "acts after approval", ("model.auc", 0.75), 60),
    *_decision(238, "jonas", "lead-scoring", "Which leads are called first", 12.0, "advice", ("model.precision", 0.2), 70),
    *_decision(236, "elena", "offer-engine", "Which offer a customer sees", 3.0, "acts alone", ("model.auc", 0.65), -12),
    *_decision(230, "priya", "fraud-screening", "Which payments are held", 140.0, "acts with veto", ("model.recall", 0.4), 45),
    add(
        200, "mira", "decision_rights", "right-1", initiative="churn-retention", activity="Change the threshold",
        scheme="RACI", part="accountable", who=person("mira"),
    ),
    add(
        200, "mira", "decision_rights", "right-2", initiative="churn-retention", activity="Change the threshold",
        scheme="RACI", part="responsible", who=person("tom"),
    ),
    add(
        198, "priya", "decision_rights", "right-3", initiative="fraud-screening", activity="Stop the screening",
        scheme="RAPID", part="decide", who=person("priya"),
    ),
    add(
        198, "priya", "decision_rights", "right-4", initiative="fraud-screening", activity="Stop the screening",
        scheme="RAPID", part="recommend", who=person("tom"),
    ),
)  # fmt: skip
