"""What happens by itself: conditions are fulfilled, breached or lapse, and expedited decisions lapse, with their consequence.

Safe to repeat and to run twice at once: every act has a key made of what it is about.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from app.govern.commands import execute_all, values_of
from app.govern.gates import criteria as terms
from app.govern.gates import decided
from app.govern.gates.criteria import Criterion
from app.govern.gates.decided import LIVING, Stands
from app.govern.gates.evaluate import Sources, judged, on_metric
from app.govern.gates.findings import Finding
from app.govern.gates.look import Look
from app.govern.model import SYSTEM, Actor, Add, Command, Denied, KeyReused, Ledger, Receipt, Row, Stale, Step
from data.policies.gates import Outcome, Weight
from metrics.core.verdict import State

APP = Actor(SYSTEM, "throughline")
_ACTS = uuid.UUID("c2d3f1c0-64c4-4f1e-9a53-0d3f6a2e8b17")  # name space of the keys of what happens by itself
WINDOW_DAYS, MAX_AGE_DAYS = 28, 14  # of a condition's own metric


@dataclass(frozen=True)
class Watched:
    """A condition of a standing Conditional go, judged now. `verb`: what has to happen to it; empty for nothing yet."""

    condition: Row
    decision: Row
    finding: Finding
    verb: str


def watched(found: Sources) -> tuple[Watched, ...]:
    """Every condition in force with its state today."""
    live = (c for c in found.look.rows("conditions") if c.state == "proposed")
    pairs = ((c, _resting(found.look, c)) for c in live)
    return tuple(_watched(found, c, d) for c, d in pairs if d is not None)


def _resting(look: Look, condition: Row) -> Row | None:
    """The standing Conditional go that adopted a condition."""
    decision = look.find("gate_decisions", condition.text("review"))
    if decision is None or decision["outcome"] != Outcome.CONDITIONAL:
        return None
    return decision if decided.stands(look, decision) in LIVING else None


def _watched(found: Sources, condition: Row, decision: Row) -> Watched:
    finding = judge_condition(found, condition, decided.review_of(found.look, decision))
    due = condition["due"]
    over = isinstance(due, dt.date) and due < found.now.date()
    return Watched(condition, decision, finding, verb_of(condition.text("kind"), finding.state, over=over))


def verb_of(kind: str, state: State, *, over: bool) -> str:
    """What a state means for a condition. `over`: its day has passed. Unmeasured never fulfils: it lapses."""
    if kind == "hold from now" and state is State.NOT_MET:
        return "breach"
    if kind == "reach by the day" and state is State.MET and not over:
        return "fulfil"
    if not over:
        return ""
    return {State.MET: "fulfil", State.NOT_MET: "breach"}.get(state, "lapse")


def judge_condition(found: Sources, condition: Row, review: Row) -> Finding:
    """A condition judged like any criterion: the review's own one, or its metric with its bound."""
    if condition["metric"] is not None:
        return on_metric(found, _own(condition))
    frozen = terms.read(review.text("criteria"))
    one = next((c for c in frozen if c.key == condition["criterion"]), None)
    initiative = found.look.find("initiatives", review.text("initiative"))
    if one is None or initiative is None:
        return Finding(_own(condition), State.NO_DATA, "the criterion that it names is not in the review")
    track, version, tier = review.text("track"), review.text("template"), review.text("tier")
    among = judged(found, initiative, review.text("gate"), track, version, frozen, tier=tier)
    return next(f for f in among.findings if f.criterion.key == one.key)


def _own(condition: Row) -> Criterion:
    comparator, threshold = condition.text("comparator"), condition["threshold"]
    where = tuple((n, v) for n, _, v in (w.partition("=") for w in condition.words("scope")))
    return Criterion(
        condition.record_id, condition.text("title"), Weight.MUST, metric=condition.text("metric"),
        comparator=comparator, threshold=float(threshold) if isinstance(threshold, int | float) else None,
        bound="lower bound" if comparator == "at least" else "upper bound", where=where, window_days=WINDOW_DAYS, min_n=30,
        max_age_days=MAX_AGE_DAYS, origin=f"condition {condition.record_id}",
    )  # fmt: skip


def act(ledger: Ledger, found: Sources) -> tuple[Receipt, ...]:
    """Carry out everything that has to happen by itself now."""
    done: list[Receipt] = []
    returned: set[str] = set()
    for one in watched(found):
        if one.verb:
            done += _move(ledger, found.look, one, returned)
    today = found.now.date()
    for decision in found.look.rows("gate_decisions"):
        if decided.late(found.look, decision, today):
            by = decided.review_of(found.look, decision)["ratify_by"]
            lapse = _event(decision, "lapsed", f"it was to be ratified by {_day(by)}")
            done += _carry_out(ledger, (lapse,), _key("lapsed", decision))
    return tuple(done)


def _move(ledger: Ledger, look: Look, one: Watched, returned: set[str]) -> tuple[Receipt, ...]:
    """Move a condition; a failed one takes its decision back to the agenda, in the same transaction."""
    c, why = one.condition, f"{one.finding.state.value}: {one.finding.why}"
    commands: tuple[Command, ...] = (Step(one.verb, "conditions", c.record_id, c.version, why[:2000]),)
    stood = decided.stands(look, one.decision)
    first = stood is not Stands.RETURNED and one.decision.record_id not in returned
    if one.verb != "fulfil" and first:
        returned.add(one.decision.record_id)
        text = f"condition {c.record_id} {c.text('title')}: {why}"
        commands = (*commands, _event(one.decision, "returned", text, c.record_id))
    return _carry_out(ledger, commands, _key(one.verb, c))


def _carry_out(ledger: Ledger, commands: tuple[Command, ...], key: str) -> tuple[Receipt, ...]:
    """All of the commands, or none where somebody was quicker: another watcher, or the council itself."""
    try:
        return execute_all(ledger, commands, APP, key)
    except (Denied, KeyReused, Stale):
        return ()


def _event(decision: Row, event: str, why: str, condition: str = "") -> Add:
    values = values_of(decision=decision.record_id, event=event, condition=condition or None, why=why)
    return Add("gate_events", values)


def _key(verb: str, row: Row) -> str:
    return uuid.uuid5(_ACTS, f"{verb} {row.register} {row.record_id} {row.version}").hex


def _day(day: object) -> str:
    """A day as it is written into the ledger, for readers."""
    return f"{day.day} {day:%b %Y}" if isinstance(day, dt.date) else str(day)
