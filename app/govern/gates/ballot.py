"""How votes become an outcome. Pure: seats, votes, frozen rules and the evidence's standing go in, what is allowed comes out."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from app.govern.gates.findings import Standing
from data.policies.gates import Outcome, Rules, Vote

_EPS = 1e-9  # shares such as 2/3 are compared with counts


@dataclass(frozen=True)
class Tally:
    """Votes counted. `present` leaves out the recused; `decided` also those who abstained."""

    seats: int
    quorum: int
    approval: float
    approve: int
    conditions: int
    reject: int
    abstain: int
    recused: int

    @property
    def present(self) -> int:
        return self.approve + self.conditions + self.reject + self.abstain

    @property
    def decided(self) -> int:
        return self.approve + self.conditions + self.reject

    @property
    def quorate(self) -> bool:
        return self.present >= self.quorum

    @property
    def reachable(self) -> bool:
        """Whether the quorum can still be reached."""
        return self.seats - self.recused >= self.quorum

    @property
    def approved(self) -> bool:
        """Enough of those who decided approve, with or without conditions; nobody deciding is no approval."""
        return self.decided > 0 and self._enough(self.approve + self.conditions)

    @property
    def unconditional(self) -> bool:
        """Approved even if those who ask for conditions had rejected."""
        return self.decided > 0 and self._enough(self.approve)

    def _enough(self, votes: int) -> bool:
        share = votes / self.decided
        return share > self.approval + _EPS if self.approval <= 0.5 else share >= self.approval - _EPS

    def text(self) -> str:
        parts = (
            (self.approve, "approve"), (self.conditions, "approve with conditions"), (self.reject, "reject"),
            (self.abstain, "abstain"), (self.recused, "recused"),
        )  # fmt: skip
        said = ", ".join(f"{n} {what}" for n, what in parts if n) or "no vote"
        return f"{said}; {self.present} of {self.quorum} needed for the quorum, {self.seats} seats"


def tally(votes: tuple[str, ...], seats: int, quorum: int, approval: float) -> Tally:
    """Count votes. A share of one half or less means more than half."""
    n = Counter(votes)
    return Tally(
        seats, quorum, approval, n[Vote.APPROVE], n[Vote.CONDITIONS], n[Vote.REJECT], n[Vote.ABSTAIN], n[Vote.RECUSED]
    )  # fmt: skip


def quorum_of(rules: Rules, seats: int) -> int:
    """Members who must vote: the share of the rules, at least its smallest number; one half means more than half."""
    share = rules.quorum * seats
    least = math.floor(share) + 1 if rules.quorum <= 0.5 else math.ceil(share - _EPS)
    return max(least, rules.seats)


def allowed(
    counted: Tally, evidence: Standing, covered: frozenset[str], conditions: int
) -> tuple[Outcome, ...]:
    """The outcomes that votes and evidence leave open; none without a quorum.

    A Go needs approval without conditions and a gate that holds. A Conditional go needs approval, at least one condition,
    a condition or waiver for every gap, and one must-meet criterion that is met; nothing covers a broken contract or a
    kill criterion.
    `covered`: keys of the criteria that proposed conditions cover.
    """
    if not counted.quorate:
        return ()
    if not counted.approved:
        return (Outcome.HOLD, Outcome.RECYCLE, Outcome.KILL)
    found: list[Outcome] = []
    if evidence.holds and counted.unconditional:
        found.append(Outcome.GO)
    barred = evidence.killed or evidence.blocked or set(evidence.gaps) - covered or not evidence.must_met
    if conditions and not barred:
        found.append(Outcome.CONDITIONAL)
    if found:
        return tuple(found)
    return (Outcome.HOLD, Outcome.RECYCLE, *((Outcome.KILL,) if evidence.killed else ()))


def why_not_go(counted: Tally, evidence: Standing, covered: frozenset[str], conditions: int) -> str:
    """Why neither Go nor Conditional go is open; empty where one is."""
    if not counted.quorate:
        return f"no quorum: {counted.text()}"
    if not counted.approved:
        return f"not approved: {counted.text()}"
    if {Outcome.GO, Outcome.CONDITIONAL} & set(allowed(counted, evidence, covered, conditions)):
        return ""
    return evidence.why if not evidence.holds else "approved with conditions, but no condition is proposed"
