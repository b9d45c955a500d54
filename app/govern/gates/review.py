"""The council's work as commands: open a review, see it, vote, propose a condition, decide, revoke.

Each function measures what has to be measured and makes the command; the write path checks it and writes it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.commands import values_of
from app.govern.gates import criteria as terms
from app.govern.gates import decided, panel
from app.govern.gates.ballot import allowed, why_not_go
from app.govern.gates.basis import Basis, Change, changes, freeze, thaw
from app.govern.gates.decided import Ballot, Phase
from app.govern.gates.evaluate import Evaluation, GateError, Sources, evaluate, initiative_of, judged
from app.govern.gates.findings import Standing
from app.govern.gates.guard_decide import adopted
from app.govern.gates.guard_votes import vote_id
from app.govern.gates.look import Look
from app.govern.model import Actor, Add, CommandError, Ledger, Row
from data.policies.gates import Outcome, template_of


class Moved(CommandError):  # noqa: N818
    """The evidence is not what the council saw; `changes` is what it has to see first."""

    def __init__(self, changed: tuple[Change, ...]) -> None:
        keys = ", ".join(c.key for c in changed) or "the code that computes it"
        super().__init__(
            f"the evidence moved while the council looked at it: {keys}; look again, then decide"
        )
        self.changes = changed


@dataclass(frozen=True)
class Request:
    """What an owner asks for. `contributors`: identities beside those whom the registers name."""

    initiative: str
    gate: str
    request: str
    track: str = "standard"
    justification: str = ""
    ratify_by: dt.date | None = None
    contributors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reasons:
    """What a decision record says besides its outcome."""

    context: str
    options: str
    drivers: str
    consequences: str


@dataclass(frozen=True)
class Sight:
    """A review as the council sees it: evidence frozen at the opening beside today's, votes, and what is open to decide.

    `basis` is what a decision now would freeze; its hash is what the council has seen.
    """

    review: Row
    phase: Phase
    before: Basis
    basis: Basis
    moved: tuple[Change, ...]
    ballot: Ballot
    conditions: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]
    why: str

    @property
    def standing(self) -> Standing:
        return self.basis.standing


def opening(ledger: Ledger, found: Sources, actor: Actor, asked: Request) -> Add:
    """The command that opens a review: evidence measured now, panel and criteria from the registers as they are."""
    evaluation = evaluate(found, asked.initiative, asked.gate, asked.track)
    row = initiative_of(found.look, asked.initiative)
    rules = template_of(evaluation.template).rule(evaluation.tier, asked.track)
    with ledger.store.read() as db:
        council = panel.panel(db, found.look, row, actor.identity, asked.contributors, rules)
    basis = freeze(evaluation)
    before = decided.living(found.look, asked.initiative, asked.gate)
    values = values_of(
        initiative=asked.initiative, gate=asked.gate, track=asked.track, request=asked.request,
        justification=asked.justification or None, template=evaluation.template, tier=evaluation.tier,
        contributors=council.contributors, members=council.members, quorum=council.quorum, approval=rules.approval,
        criteria=terms.written(tuple(f.criterion for f in evaluation.findings)), snapshot=basis.text,
        snapshot_sha256=basis.sha256, reopens=before.record_id if before else None, ratify_by=asked.ratify_by,
    )  # fmt: skip
    return Add("gate_reviews", values)


def review_row(look: Look, review: str) -> Row:
    row = look.find("gate_reviews", review)
    if row is None:
        raise GateError(
            f"there is no gate review {review!r}; there are: {', '.join(look.held['gate_reviews']) or 'none'}"
        )
    return row


def today(found: Sources, review: Row) -> Evaluation:
    """The frozen criteria of a review, judged on what is found now."""
    initiative = found.look.find("initiatives", review.text("initiative"))
    if initiative is None:
        raise GateError(f"{review.record_id} is about an initiative that is not in the ledger")
    frozen = terms.read(review.text("criteria"))
    return judged(
        found, initiative, review.text("gate"), review.text("track"), review.text("template"), frozen,
        tier=review.text("tier"),
    )  # fmt: skip


def sight(found: Sources, review: Row) -> Sight:
    """Everything about a review, evidence measured now."""
    look = found.look
    proposed = decided.conditions_of(look, review)
    basis = freeze(today(found, review), adopted(proposed))
    before = thaw(review.text("snapshot"))
    ballot = decided.ballot(look, review)
    covered = frozenset(c.text("criterion") for c in proposed) - {""}
    ask = (ballot.counted, basis.standing, covered, len(proposed))
    return Sight(
        review, decided.phase(look, review), before, basis, changes(before.findings, basis.findings), ballot, proposed,
        allowed(*ask), why_not_go(*ask),
    )  # fmt: skip


def voting(look: Look, review: Row, actor: Actor, vote: str, statement: str = "") -> Add:
    """The command for one's own vote, in one's own seat or the one that one was asked to fill."""
    seat = panel.seat_of(look, review, actor.identity) or actor.identity
    values = values_of(review=review.record_id, seat=seat, vote=vote, statement=statement or None)
    return Add("gate_votes", values, vote_id(review.record_id, seat))


def deciding(found: Sources, review: Row, outcome: str, reasons: Reasons, seen: str) -> Add:
    """The command that records a decision. `seen`: the hash of the evidence that the council looked at.

    Raises Moved where the evidence found now is not that: the council sees the difference first.
    """
    got = sight(found, review)
    if got.basis.sha256 != seen:
        raise Moved(got.moved)
    stood = decided.living(found.look, review.text("initiative"), review.text("gate"))
    values = values_of(
        review=review.record_id, outcome=outcome, context=reasons.context, options=reasons.options,
        drivers=reasons.drivers, consequences=reasons.consequences,
        makers=tuple(sorted(v.by.identity for v in got.ballot.cast)), tally=got.ballot.counted.text(),
        moved=tuple(c.key for c in got.moved), supersedes=stood.record_id if stood else None, basis=got.basis.text,
        basis_sha256=got.basis.sha256,
    )  # fmt: skip
    return Add("gate_decisions", values, review.record_id)


def revoking(decision: Row, why: str) -> Add:
    return Add("gate_revocations", values_of(decision=decision.record_id, why=why), decision.record_id)


def delegating(review: Row, delegate: str) -> Add:
    return Add("gate_delegations", values_of(review=review.record_id, delegate=delegate))
