"""What being ready consists of, item by item, and which record of the ledger shows it: observed, inferred or absent.

Observed: a measurement, a test, an approval by a second person or a file marked so has shown it. Inferred: somebody has
declared it and nothing has shown it yet. Nobody is asked how ready they feel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.ledger_views import BOUNDS, CONTRACT_STATES, bounded_by
from data.sql import Facts
from metrics._ledger_cells import moment, today
from metrics._ledger_risks import SETTLED

TESTED_DAYS = 180  # a rollback tested longer ago is not tested
BINDING = ("active", "deprecated")
ATTRIBUTED = ("randomised", "quasi-experimental")
TRUTH_OF = (
    ("model_ids", "predictions"),
    ("experiment_ids", "experiment_units"),
)  # what an initiative reads, by its lists
CONTEXT, PROMPTS, MODELS, TRUTH, HYBRID, VALUE, VIABLE = (
    "context orchestration", "prompt management", "model orchestration", "hallucination management",
    "hybrid integration", "KPI and ROI measurement", "minimum viable context",
)  # fmt: skip

Found = sa.Select[Any]  # initiative, evidence
Source = Callable[[Facts], Found]


@dataclass(frozen=True)
class Item:
    """One thing to be there. `shown` and `said`: where it is observed and where it is only declared."""

    pillar: str
    name: str
    observed: str
    inferred: str
    shown: tuple[Source, ...]
    said: tuple[Source, ...]


def named(table: FromClause, register: str, initiative: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """The two columns of evidence: whose it is, and the record that shows it."""
    record = sa.literal(f"{register}/", sa.Text).concat(table.c.record_id)
    return initiative.label("initiative"), record.label("evidence")


def held(
    register: str, *tests: Callable[[FromClause, Facts], ColumnElement[bool]], state: str = "active"
) -> Source:
    """Records of a register that name an initiative, are in this state and pass all tests."""

    def source(facts: Facts) -> Found:
        t = facts[register]
        return sa.select(*named(t, register, t.c.initiative)).where(
            t.c.state == state, t.c.initiative.is_not(None), *(test(t, facts) for test in tests)
        )

    return source


def filled(*names: str) -> Callable[[FromClause, Facts], ColumnElement[bool]]:
    return lambda t, _: sa.and_(*(t.c[n].is_not(None) for n in names))


def reviewed(t: FromClause, facts: Facts) -> ColumnElement[bool]:
    """Its day of review has not passed."""
    return t.c.next_review >= today(facts)


def tested(t: FromClause, facts: Facts) -> ColumnElement[bool]:
    since = moment(facts, days_before=TESTED_DAYS).date().isoformat()
    return sa.and_(t.c.rollback_tested >= since, t.c.rollback_tested <= today(facts))


def file(*types: str) -> Source:
    """A file of these types, marked observed and not expired."""
    return held(
        "evidence",
        lambda t, _: sa.and_(t.c.type.in_(types), t.c.basis == "observed"),
        lambda t, facts: sa.or_(t.c.expires.is_(None), t.c.expires >= today(facts)),
    )


def truth(*states: str) -> Source:
    """The one contract in force on the table that an initiative reads first, where it is in one of these states."""

    def source(facts: Facts) -> Found:
        i, c, s = facts["initiatives"], facts["contracts"], facts[CONTRACT_STATES]
        force = sa.and_(c.c.state == "active", c.c.status.in_(BINDING))
        one = (
            sa.select(c.c.table_name, sa.func.min(c.c.record_id).label("record_id"))
            .where(force)
            .group_by(c.c.table_name)
            .having(sa.func.count() == 1)
            .subquery("sole_contracts")
        )
        reads = sa.case(*((_lists(i.c[name]), table) for name, table in TRUTH_OF))
        known = sa.func.coalesce(s.c.state, "not measured")
        return (
            sa.select(*named(one, "contracts", i.c.record_id))
            .select_from(i.join(one, one.c.table_name == reads).outerjoin(s, s.c.contract == one.c.record_id))
            .where(i.c.state == "active", known.in_(states))
        )

    return source


def _lists(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return sa.and_(column.is_not(None), column != "[]")


def measured_risk(facts: Facts) -> Found:
    """A risk whose indicator is measured today, whatever it says."""
    r, b = facts["risks"], facts[BOUNDS]
    return (
        sa.select(*named(r, "risks", r.c.initiative))
        .select_from(r.join(b, bounded_by(r, "indicator", b)))
        .where(r.c.state == "active", b.c.state.in_(SETTLED))
    )


def posture(facts: Facts) -> Found:
    p, d = facts["postures"], facts["decisions"]
    return (
        sa.select(*named(p, "postures", d.c.initiative))
        .select_from(p.join(d, d.c.record_id == p.c.decision))
        .where(p.c.state == "active")
    )


def attributed(facts: Facts) -> Found:
    """A study result of a grade that may be called attributed."""
    r, s = facts["study_results"], facts["studies"]
    return (
        sa.select(*named(r, "study_results", s.c.initiative))
        .select_from(r.join(s, s.c.record_id == r.c.study))
        .where(r.c.grade.in_(ATTRIBUTED), s.c.initiative.is_not(None))
    )


def followed_target(facts: Facts) -> Found:
    """A target that somebody has spoken about."""
    c, t = facts["check_ins"], facts["targets"]
    return (
        sa.select(*named(c, "check_ins", t.c.initiative))
        .select_from(c.join(t, t.c.record_id == c.c.target))
        .where(t.c.state == "active", t.c.initiative.is_not(None))
    )


def passed_gate(facts: Facts) -> Found:
    d, r = facts["gate_decisions"], facts["gate_reviews"]
    return (
        sa.select(*named(d, "gate_decisions", r.c.initiative))
        .select_from(d.join(r, r.c.record_id == d.c.review))
        .where(d.c.outcome.in_(("go", "conditional go")))
    )


_ROLLBACK = held("operability", tested)
_RUNS = held("operability", filled("runbook", "on_call"))
_OWNER = held("ownership", filled("accountable", "authority"), reviewed)
_FALLBACK = held("decisions", filled("fallback"))

ITEMS: tuple[Item, ...] = (
    Item(CONTEXT, "source of truth", "the one contract on what it reads is kept today",
         "there is one contract, and it is broken or not measured", (truth("kept"),), (truth("broken", "not measured"),)),
    Item(CONTEXT, "data steward", "a steward is named and the ownership review is not overdue",
         "a steward is named", (held("ownership", filled("data_steward"), reviewed),),
         (held("ownership", filled("data_steward")),)),
    Item(CONTEXT, "training data", "an assessment or model card marked observed",
         "the model card describes them", (file("assessment", "model card"),),
         (held("operability", filled("card_training_data")),)),
    Item(PROMPTS, "intended use", "a model card marked observed", "the register states it",
         (file("model card"),), (held("operability", filled("card_intended_use")),)),
    Item(PROMPTS, "limits of use", "a policy or assessment marked observed", "the register states them",
         (file("policy", "assessment"),), (held("operability", filled("card_limitations")),)),
    Item(PROMPTS, "change control", "the council passed a gate", "a gate review was opened",
         (passed_gate,), (held("gate_reviews", state="opened"),)),
    Item(MODELS, "rollback", "going back was tested within 180 days", "there is a plan",
         (_ROLLBACK,), (held("operability", filled("rollback_plan")),)),
    Item(MODELS, "running it", "a test report marked observed", "runbook and somebody on call are named",
         (file("test report"),), (_RUNS,)),
    Item(MODELS, "human oversight", "a training record marked observed", "the decision says who looks",
         (file("training record"),), (held("decisions", filled("oversight")),)),
    Item(TRUTH, "acceptable error", "a risk indicator is measured today", "an error is declared acceptable",
         (measured_risk,), (posture,)),
    Item(TRUTH, "claims checked", "a validation report marked observed", "the model card makes claims",
         (file("validation report"),), (held("operability", filled("card_claims")),)),
    Item(HYBRID, "fallback", "going back was tested within 180 days", "the decision says what happens without the model",
         (_ROLLBACK,), (_FALLBACK,)),
    Item(HYBRID, "escalation", "minutes marked observed", "the decision says who is asked next",
         (file("minutes"),), (held("decisions", filled("escalation")),)),
    Item(HYBRID, "service levels", "a test report marked observed", "budgets of latency and cost are set",
         (file("test report"),), (held("operability", filled("latency_ms", "cost_budget")),)),
    Item(VALUE, "baseline", "a second person approved it", "one was brought in",
         (held("baselines", state="approved"),), (held("baselines", state="draft"), held("baselines", state="submitted"))),
    Item(VALUE, "target", "somebody has spoken about it", "one is set", (followed_target,), (held("targets"),)),
    Item(VALUE, "value", "a study of a grade that counts", "a study is registered",
         (attributed,), (held("studies", state="registered"),)),
    Item(VIABLE, "one source of truth", "the one contract on what it reads is kept today",
         "there is one contract, and it is broken or not measured", (truth("kept"),), (truth("broken", "not measured"),)),
    Item(VIABLE, "owner for conflicts", "somebody answers for it and the review is not overdue",
         "somebody answers for it", (_OWNER,), (held("ownership", filled("accountable", "authority")),)),
    Item(VIABLE, "failure mode", "a risk indicator is measured today", "a risk is written down",
         (measured_risk,), (held("risks"),)),
    Item(VIABLE, "known fallback", "going back was tested within 180 days", "the decision says what happens without the model",
         (_ROLLBACK,), (_FALLBACK,)),
)  # fmt: skip
