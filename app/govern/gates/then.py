"""Then versus now: would a decision's gate pass today, and is its evidence outdated; and how well past Go decisions kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.gates import decided
from app.govern.gates.basis import Basis, Change, changes, thaw
from app.govern.gates.decided import GO, LIVING, Stands
from app.govern.gates.evaluate import Sources
from app.govern.gates.findings import Finding, Standing
from app.govern.gates.look import look
from app.govern.gates.review import today
from app.govern.model import Ledger, Row
from app.runtime import Runtime
from data.policies.gates import Outcome, Rules, template_of
from metrics.core.intervals import wilson

AFTER = dt.timedelta(days=90)


@dataclass(frozen=True)
class ThenNow:
    """A decision's frozen evidence beside today's. `outdated`: something material moved under a standing decision."""

    decision: Row
    review: Row
    stands: Stands
    then: Basis
    now: tuple[Finding, ...]
    standing: Standing
    changes: tuple[Change, ...]

    @property
    def outdated(self) -> bool:
        return self.stands in LIVING and any(c.material for c in self.changes)

    @property
    def passes(self) -> bool:
        """Whether the gate would pass today."""
        return self.standing.holds

    @property
    def killed(self) -> tuple[str, ...]:
        """Kill criteria that are proven today under a decision that still stands."""
        return self.standing.killed if self.stands in LIVING and self.decision["outcome"] in GO else ()


def compare(found: Sources, decision: Row) -> ThenNow:
    """Judge a decision's frozen criteria on what is found now."""
    review = decided.review_of(found.look, decision)
    then, now = thaw(decision.text("basis")), today(found, review)
    return ThenNow(
        decision, review, decided.stands(found.look, decision), then, now.findings, now.standing,
        changes(then.findings, now.findings),
    )  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """A past Go and whether its gate still held 90 days later; why not."""

    decision: str
    initiative: str
    gate: str
    on: dt.date
    held: bool
    why: str


@dataclass(frozen=True)
class Calibration:
    """Share of past Go decisions whose criteria still held after 90 days, with its Wilson interval.

    `value` None with `reason` where no Go is old enough. `waiting`: Go decisions that are younger.
    """

    value: float | None
    low: float | None
    high: float | None
    numerator: int
    n: int
    method: str
    reason: str
    waiting: int
    cases: tuple[Kept, ...]


def calibration(runtime: Runtime, ledger: Ledger) -> Calibration:
    """How well the council's Go decisions kept.

    Numbers and the currency of their data are read as they were known 90 days after each decision.
    """
    from app.govern.currency import sources_then  # knows the evaluation, as this does

    now = look(ledger)
    taken = [d for d in now.rows("gate_decisions") if d["outcome"] == Outcome.GO]
    old = [d for d in taken if d.at + AFTER <= now.at]
    cases = tuple(
        _kept(sources_then(runtime, ledger, d.at + AFTER), d) for d in sorted(old, key=lambda d: d.seq)
    )
    return calibrated(cases, len(taken) - len(old))


def calibrated(cases: tuple[Kept, ...], waiting: int) -> Calibration:
    """The share over cases already judged."""
    n, held = len(cases), sum(c.held for c in cases)
    if n == 0:
        reason = f"no Go is {AFTER.days} days old yet"
        return Calibration(None, None, None, 0, 0, "Wilson", reason, waiting, ())
    rate = wilson(held, n)
    return Calibration(rate.value, rate.low, rate.high, held, n, "Wilson", "", waiting, cases)


def _kept(found: Sources, decision: Row) -> Kept:
    review = decided.review_of(found.look, decision)
    then = today(found, review)
    return Kept(
        decision.record_id, review.text("initiative"), review.text("gate"), found.now.date(), then.standing.holds,
        then.standing.why,
    )  # fmt: skip


def rules_of(review: Row) -> Rules:
    """The rules under which a review was opened."""
    return template_of(review.text("template")).rule(review.text("tier"), review.text("track"))
