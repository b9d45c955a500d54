"""Where reviews and decisions stand, told from the records that followed them. Nothing is ever written over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from app.govern.gates.ballot import Tally, tally
from app.govern.gates.look import Look
from app.govern.model import Row
from data.policies.gates import Outcome

GO = (Outcome.GO, Outcome.CONDITIONAL)


class Stands(StrEnum):
    """`provisional`: an expedited go that waits for its ratification. `returned`: a condition failed; on the agenda."""

    IN_FORCE = "in force"
    PROVISIONAL = "provisional"
    RETURNED = "returned"
    LAPSED = "lapsed"
    RATIFIED = "ratified"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


LIVING = (Stands.IN_FORCE, Stands.PROVISIONAL, Stands.RETURNED)


class Phase(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Ballot:
    """A review's votes. `cast`: by seat, the newest first is never needed: a vote is final."""

    counted: Tally
    cast: tuple[Row, ...]

    def seat(self, identity: str) -> Row | None:
        return next((v for v in self.cast if v["seat"] == identity), None)


def phase(look: Look, review: Row) -> Phase:
    if look.find("gate_decisions", review.record_id) is not None:
        return Phase.DECIDED
    return Phase.OPEN if review.state == "opened" else Phase.WITHDRAWN


def ballot(look: Look, review: Row) -> Ballot:
    cast = tuple(v for v in look.rows("gate_votes") if v["review"] == review.record_id)
    seats, quorum = len(review.words("members")), review["quorum"]
    approval = review["approval"]
    assert isinstance(quorum, int)
    assert isinstance(approval, int | float)
    return Ballot(tally(tuple(v.text("vote") for v in cast), seats, quorum, float(approval)), cast)


def conditions_of(look: Look, review: Row) -> tuple[Row, ...]:
    """The conditions of a review that were not withdrawn."""
    return tuple(
        c for c in look.rows("conditions") if c["review"] == review.record_id and c.state != "withdrawn"
    )


def review_of(look: Look, decision: Row) -> Row:
    found = look.find("gate_reviews", decision.text("review"))
    assert found is not None, f"{decision.record_id} has no review"
    return found


def stands(look: Look, decision: Row) -> Stands:
    """Where a decision stands. The strongest later record counts: revoked, superseded, lapsed, returned."""
    if look.find("gate_revocations", decision.record_id) is not None:
        return Stands.REVOKED
    review = review_of(look, decision)
    expedited = review["track"] == "expedited" and decision["outcome"] in GO
    later = next((d for d in look.rows("gate_decisions") if d["supersedes"] == decision.record_id), None)
    events = {e.text("event") for e in look.rows("gate_events") if e["decision"] == decision.record_id}
    if later is not None:
        full = review_of(look, later)["track"] == "standard" and later["outcome"] in GO
        ratified = expedited and full and "lapsed" not in events
        return Stands.RATIFIED if ratified else Stands.SUPERSEDED
    if "lapsed" in events:
        return Stands.LAPSED
    if "returned" in events:
        return Stands.RETURNED
    return Stands.PROVISIONAL if expedited else Stands.IN_FORCE


def living(look: Look, initiative: str, gate: str) -> Row | None:
    """The decision that a new one would supersede: the one that stands, or that lapsed last."""
    for decision in sorted(look.rows("gate_decisions"), key=lambda d: -d.seq):
        review = review_of(look, decision)
        same = (review["initiative"], review["gate"]) == (initiative, gate)
        if same and stands(look, decision) in (*LIVING, Stands.LAPSED):
            return decision
    return None


def open_review(look: Look, initiative: str, gate: str) -> Row | None:
    for review in look.rows("gate_reviews"):
        if (review["initiative"], review["gate"]) == (initiative, gate) and phase(look, review) is Phase.OPEN:
            return review
    return None


def late(look: Look, decision: Row, today: dt.date) -> bool:
    """Whether an expedited decision was not ratified by its day."""
    until = review_of(look, decision)["ratify_by"]
    return stands(look, decision) is Stands.PROVISIONAL and isinstance(until, dt.date) and until < today
