"""The council's records: reviews and what was frozen at their opening, votes, conditions, decisions and what became of them.

Nothing here is ever changed: a decision that no longer holds is superseded, revoked, lapsed or returned by a further record.
"""

from __future__ import annotations

from data.fields import (
    LOG,
    Field,
    Flow,
    Kind,
    Move,
    Register,
    choice,
    day,
    long,
    number,
    person,
    ref,
    text,
    whole,
    words,
)
from data.policies.gates import GATES, OUTCOMES, TRACKS, VOTES
from data.registers.meetings import MEETING

_HASH = "Of the canonical text before it."

GATE_REVIEWS = Register(
    "gate_reviews",
    "Gate reviews",
    "gate review",
    "A request to pass a gate. Rules, members, criteria and the evidence of the day are frozen when it is opened.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        choice("gate", "Gate", *GATES, required=True),
        choice("track", "Track", *TRACKS, required=True, help="Expedited decisions lapse unless they are ratified."),
        long("request", "Request", "What is asked of the council.", required=True),
        long("justification", "Why it cannot wait", "For the expedited track."),
        text("template", "Gate template", "Version.", required=True),
        text("tier", "Materiality", required=True),
        words("contributors", "Contributors", "Identities of those who built it or own it; they do not vote."),
        words("members", "Members", "Identities of the council members who may vote."),
        whole("quorum", "Quorum", "Members who must vote; recused ones are not there.", required=True, low=1),
        number("approval", "Approval", "Share of approving among approving and rejecting votes.", required=True, low=0, high=1),
        long("criteria", "Criteria", "As they will be judged, as JSON.", required=True),
        long("snapshot", "Evidence at opening", "Every criterion's finding, as JSON.", required=True),
        Field("snapshot_sha256", "SHA-256 of the evidence", Kind.SHA256, _HASH, required=True),
        ref("reopens", "Follows", "gate_decisions", "The decision that this review looks at again."),
        day("ratify_by", "Ratify by", "Last day; an expedited decision lapses after it."),
    ),
    prefix="GATE",
    flow=Flow("opened", (Move("withdraw", ("opened",), "withdrawn"),), live=("opened",)),
    label="request",
)  # fmt: skip

GATE_DELEGATIONS = Register(
    "gate_delegations",
    "Delegations",
    "delegation",
    "A member lets somebody else vote in one review.",
    (
        ref("review", "Review", "gate_reviews", required=True),
        person("delegate", "Delegate", required=True),
    ),
    prefix="DLG",
    flow=Flow("in force", (Move("revoke", ("in force",), "revoked"),), live=("in force",)),
    label="delegate",
)

GATE_VOTES = Register(
    "gate_votes",
    "Votes",
    "vote",
    "One for each seat of a review, by its member or the delegate; final.",
    (
        ref("review", "Review", "gate_reviews", required=True),
        person("seat", "Seat", "The member whose vote it is.", required=True),
        choice("vote", "Vote", *VOTES, required=True),
        long("statement", "Statement", "Needed with a rejection, a condition or a conflict of interest."),
    ),
    flow=LOG,
    label="vote",
)

CONDITIONS = Register(
    "conditions",
    "Conditions",
    "condition",
    "What must become or stay so after a conditional go: a criterion or a metric with a bound, an owner and a day.",
    (
        ref("review", "Review", "gate_reviews", required=True),
        text("title", "Condition", required=True),
        choice(
            "kind", "Kind", "reach by the day", "hold from now", required=True,
            help="The first is judged when its day has come, the second every day.",
        ),
        text("criterion", "Criterion", "Key of the review's criterion that it covers."),
        Field("metric", "Metric", Kind.METRIC),
        choice("comparator", "Comparator", "at least", "at most"),
        number("threshold", "Bound", "In the metric's unit."),
        words("scope", "Scope", "Such as model_id=churn-1."),
        person("owner", "Owner", required=True),
        day("due", "Due", required=True),
    ),
    prefix="COND",
    flow=Flow(
        "proposed",
        (
            Move("withdraw", ("proposed",), "withdrawn"),
            Move("fulfil", ("proposed",), "fulfilled"),
            Move("breach", ("proposed",), "breached"),
            Move("lapse", ("proposed",), "lapsed"),
        ),
        live=("proposed",),
    ),
)  # fmt: skip

GATE_DECISIONS = Register(
    "gate_decisions",
    "Gate decisions",
    "gate decision",
    "What the council decided and on which basis. One for each review, under its number; never changed.",
    (
        ref("review", "Review", "gate_reviews", required=True),
        choice("outcome", "Outcome", *OUTCOMES, required=True),
        long("context", "Context", required=True),
        long("options", "Options considered", required=True),
        long("drivers", "Drivers", "What tipped the balance.", required=True),
        long("consequences", "Consequences", "What happens now, and who does it.", required=True),
        words("makers", "Decision-makers", "Identities of those who voted."),
        text("tally", "Votes", required=True),
        words("moved", "Moved since the opening", "Criteria whose evidence was not what it had been; shown before the vote."),
        ref("supersedes", "Supersedes", "gate_decisions"),
        long("basis", "Basis", "Every finding that the decision rests on, as JSON.", required=True),
        Field("basis_sha256", "SHA-256 of the basis", Kind.SHA256, _HASH, required=True),
    ),
    flow=LOG,
    label="outcome",
)  # fmt: skip

GATE_REVOCATIONS = Register(
    "gate_revocations",
    "Revocations",
    "revocation",
    "The council takes a decision back. One for each decision, under its number.",
    (
        ref("decision", "Decision", "gate_decisions", required=True),
        long("why", "Why", required=True),
    ),
    flow=LOG,
    label="decision",
)

GATE_EVENTS = Register(
    "gate_events",
    "Lapses and returns",
    "gate event",
    "What befell a decision by itself: it was not ratified in time, or a condition failed and it is on the agenda again.",
    (
        ref("decision", "Decision", "gate_decisions", required=True),
        choice("event", "Event", "lapsed", "returned", required=True),
        text("condition", "Condition", "The one that failed."),
        long("why", "Why", required=True),
    ),
    prefix="EVT",
    flow=LOG,
    label="event",
)

# Registers on which the write path asks the council's rules too.
COUNCIL = MEETING | frozenset(
    r.name
    for r in (
        GATE_REVIEWS, GATE_DELEGATIONS, GATE_VOTES, CONDITIONS, GATE_DECISIONS, GATE_REVOCATIONS, GATE_EVENTS,
    )
)  # fmt: skip
