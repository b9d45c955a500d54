"""What the write path asks before it writes a record of the council. Everything is read in the same transaction.

The evidence itself was measured before the transaction; here its text must be what its hash says, and must speak of
exactly the criteria that were frozen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import sqlalchemy as sa

from app.govern.gates import guard_decide, guard_meeting, guard_open, guard_votes
from app.govern.gates.attempt import Attempt
from app.govern.gates.look import look_in
from app.govern.model import Actor
from data.ledger_types import Value


def check(
    db: sa.Connection, register: str, verb: str, actor: Actor, record_id: str, values: Mapping[str, Value],
    now: dt.datetime,
) -> None:  # fmt: skip
    """Raise Denied or Invalid unless the council's rules allow it; registers of others pass."""
    rule = _RULES.get((register, verb))
    if rule is not None:
        rule(Attempt(db, look_in(db, now), actor, verb, record_id, values))


_RULES: Mapping[tuple[str, str], Callable[[Attempt], None]] = {
    ("gate_reviews", "add"): guard_open.open_,
    ("gate_reviews", "withdraw"): guard_open.withdraw,
    ("gate_delegations", "add"): guard_votes.delegate,
    ("gate_delegations", "revoke"): guard_votes.undelegate,
    ("gate_votes", "add"): guard_votes.vote,
    ("conditions", "add"): guard_votes.propose,
    ("conditions", "withdraw"): guard_votes.retract,
    ("conditions", "fulfil"): guard_decide.moved,
    ("conditions", "breach"): guard_decide.moved,
    ("conditions", "lapse"): guard_decide.moved,
    ("gate_decisions", "add"): guard_decide.decide,
    ("gate_revocations", "add"): guard_decide.revoke,
    ("gate_events", "add"): guard_decide.event,
    ("meetings", "add"): guard_meeting.open_,
    ("attendances", "add"): guard_meeting.enter,
    ("attendances", "leave"): guard_meeting.come_and_go,
    ("attendances", "return"): guard_meeting.come_and_go,
    ("minutes", "add"): guard_meeting.close,
}
