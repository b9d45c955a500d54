"""What must hold for a decision and for what befalls it: quorum, votes, evidence that was seen, and where it stands."""

from __future__ import annotations

from app.govern.gates import decided, panel
from app.govern.gates.attempt import Attempt, demand, invalid, whole
from app.govern.gates.ballot import allowed, why_not_go
from app.govern.gates.basis import changes, thaw
from app.govern.gates.decided import LIVING, Stands
from app.govern.model import Denied, Row
from data.policies.gates import Outcome


def moved(a: Attempt) -> None:
    """Fulfilled, breached and lapsed are of conditions that a standing Conditional go adopted."""
    decision = a.look.find("gate_decisions", a.text("review"))
    adopted = decision is not None and decision["outcome"] == Outcome.CONDITIONAL
    if decision is None or not adopted or decided.stands(a.look, decision) not in LIVING:
        raise Denied(f"{a.verb} {a.record_id}: no standing decision rests on this condition")


def decide(a: Attempt) -> None:
    """A decision: with a quorum, as votes and evidence allow, on evidence that the council has seen."""
    review = a.review()
    if not panel.seat_of(a.look, review, a.actor.identity):
        raise Denied("only those who vote in a review record its decision")
    demand(a.record_id == review.record_id, "record_id", "a decision has the number of its review")
    ballot = decided.ballot(a.look, review)
    about = (review.text("initiative"), review.text("gate"), review.text("track"))
    found = whole(a, "basis", review.text("criteria"), about)
    proposed = decided.conditions_of(a.look, review)
    demand(found.conditions == adopted(proposed), "basis", "the conditions are not those that were proposed")
    covered = frozenset(c.text("criterion") for c in proposed) - {""}
    counted = ballot.counted
    able = allowed(counted, found.standing, covered, len(proposed))
    if not able:
        raise Denied(f"decide {review.record_id}: no quorum ({counted.text()})")
    if a.text("outcome") not in able:
        why = why_not_go(counted, found.standing, covered, len(proposed)) or counted.text()
        raise Denied(f"decide {review.record_id} as {a.text('outcome')}: {why}; open are: {', '.join(able)}")
    demand(a.text("tally") == counted.text(), "tally", "somebody voted meanwhile; look again")
    makers = tuple(sorted(v.by.identity for v in ballot.cast))
    demand(a.words("makers") == makers, "makers", "somebody voted meanwhile; look again")
    before = thaw(review.text("snapshot"))
    moved = tuple(c.key for c in changes(before.findings, found.findings))
    demand(
        a.words("moved") == moved,
        "moved",
        f"evidence moved since the opening: {', '.join(moved) or 'nothing'}; look first",
    )
    stood = decided.living(a.look, about[0], about[1])
    demand(
        a.text("supersedes") == (stood.record_id if stood else ""),
        "supersedes",
        "another decision stands now; look again",
    )


def adopted(conditions: tuple[Row, ...]) -> tuple[str, ...]:
    """Conditions as a basis freezes them: identifier and terms."""
    return tuple(
        f"{c.record_id}: {c.text('title')}; {c.text('kind')}; {c.text('criterion') or c.text('metric')}"
        f" {c.text('comparator')} {c.text('threshold')} {' '.join(c.words('scope'))}; {c.text('owner')}; {c.text('due')}"
        for c in sorted(conditions, key=lambda c: c.record_id)
    )


def _standing(a: Attempt) -> tuple[Row, Stands]:
    found = a.look.find("gate_decisions", a.text("decision"))
    if found is None:
        raise invalid("decision", f"there is no gate decision {a.text('decision')!r}")
    return found, decided.stands(a.look, found)


def revoke(a: Attempt) -> None:
    found, state = _standing(a)
    demand(a.record_id == found.record_id, "record_id", "a revocation has the number of its decision")
    if state not in LIVING:
        raise Denied(f"revoke {found.record_id}: it is {state.value}")


def event(a: Attempt) -> None:
    found, state = _standing(a)
    if a.text("event") == "lapsed":
        if not decided.late(a.look, found, a.look.at.date()):
            raise Denied(f"lapse {found.record_id}: it is {state.value} and not overdue")
        return
    condition = a.look.find("conditions", a.text("condition"))
    failed = (
        condition is not None
        and condition["review"] == found.record_id
        and condition.state in ("breached", "lapsed")
    )
    if state not in (Stands.IN_FORCE, Stands.PROVISIONAL) or not failed:
        raise Denied(
            f"return {found.record_id}: it is {state.value}, and none of its conditions {a.text('condition')!r} failed"
        )
