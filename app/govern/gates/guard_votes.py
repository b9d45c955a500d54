"""What must hold for delegations, votes and conditions: one vote a person and a seat, final, cast by nobody else."""

from __future__ import annotations

import datetime as dt

from app.govern import rows
from app.govern.gates import criteria as terms
from app.govern.gates import decided, panel
from app.govern.gates.attempt import Attempt, demand
from app.govern.model import Denied
from data.policies.gates import Vote

_SPOKEN = (Vote.REJECT, Vote.CONDITIONS, Vote.RECUSED)  # votes that need a statement


def delegate(a: Attempt) -> None:
    review, actor, other = a.review(), a.actor.identity, a.text("delegate")
    if actor not in review.words("members"):
        raise Denied("only a member of this review may name a delegate")
    if decided.ballot(a.look, review).seat(actor) is not None:
        raise Denied("you have voted; a vote is final")
    demand(
        not panel.delegate_of(a.look, review, actor),
        "delegate",
        "you have named a delegate; revoke that first",
    )
    demand(
        other not in review.words("contributors"),
        "delegate",
        "a contributor does not vote, not for others either",
    )
    demand(
        other not in review.words("members"),
        "delegate",
        "another member has a vote already; nobody votes twice",
    )
    busy = any(
        d["delegate"] == other and d["review"] == review.record_id for d in a.look.live("gate_delegations")
    )
    demand(not busy, "delegate", "they stand in for somebody else; nobody votes twice")


def undelegate(a: Attempt) -> None:
    held = a.look.find("gate_delegations", a.record_id)
    if held is not None and held.by != a.actor:
        raise Denied("only the member who named the delegate may revoke it")


def vote(a: Attempt) -> None:
    review, seat = a.review(), a.text("seat")
    why = panel.why_not_vote(a.look, review, a.actor.identity, seat)
    if why:
        raise Denied(f"vote in {review.record_id}: {why}")
    demand(
        a.record_id == vote_id(review.record_id, seat),
        "record_id",
        "a vote is called after its review and seat",
    )
    spoken = a.text("vote") in _SPOKEN
    demand(a.text("statement") or not spoken, "statement", f"say why; {a.text('vote')} needs a statement")


def vote_id(review: str, seat: str) -> str:
    """The identifier of a seat's vote: there is at most one."""
    return f"{review} {seat}"


def propose(a: Attempt) -> None:
    review = a.review()
    if not panel.seat_of(a.look, review, a.actor.identity):
        raise Denied("only those who vote in a review propose conditions for it")
    due = a.values["due"]
    demand(isinstance(due, dt.date) and due > a.look.at.date(), "due", "write a day that is still to come")
    keys = {c.key for c in terms.read(review.text("criteria"))}
    named = a.text("criterion")
    demand(not named or named in keys, "criterion", f"write one of: {', '.join(sorted(keys))}")
    own = [n for n in ("metric", "comparator", "threshold") if a.values[n] is not None]
    demand(
        named or own,
        "metric",
        "name a criterion of the review, or a metric with its bound; prose cannot be watched",
    )
    demand(len(own) in (0, 3), "metric", "fill in metric, comparator and bound together, or none of them")
    bad = [w for w in a.words("scope") if "=" not in w]
    demand(not bad, "scope", f"{bad}: write DIMENSION=VALUE, such as model_id=churn-1")


def retract(a: Attempt) -> None:
    a.review()
    held = rows.history(a.db, "conditions", a.record_id)
    if held and held[0].by != a.actor:
        raise Denied("only who proposed a condition may withdraw it")
