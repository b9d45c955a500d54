"""Who may take part in a review, by the registers: contributors, independent members, delegates, and why somebody may not."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.govern import rows
from app.govern.gates.ballot import quorum_of
from app.govern.gates.look import Look
from app.govern.model import Row
from data.policies.gates import Rules
from data.registers import REGISTERS


@dataclass(frozen=True)
class Panel:
    """The council of one review: who contributed and so is out, who may vote, how many must."""

    contributors: tuple[str, ...]
    members: tuple[str, ...]
    quorum: int

    @property
    def enough(self) -> bool:
        return len(self.members) >= self.quorum


def panel(
    db: sa.Connection, look: Look, initiative: Row, requester: str, more: tuple[str, ...], rules: Rules
) -> Panel:
    """The panel for a request. `more`: further contributors whom the requester names; nobody is ever left out."""
    built = (
        {requester, *more}
        | rows.owners(db, REGISTERS["initiatives"], initiative)
        | _named(db, look, initiative)
    )
    contributors = tuple(sorted(built - {""}))
    members = tuple(sorted(look.council - set(contributors)))
    return Panel(contributors, members, quorum_of(rules, len(members)))


def _named(db: sa.Connection, look: Look, initiative: Row) -> set[str]:
    """Those whom the records that the criteria rest on name: they own it, declared its error, or run it."""
    found: set[str] = set()
    own = look.find("ownership", initiative.record_id)
    if own is not None:
        found |= {own.text(f.name) for f in REGISTERS["ownership"].fields if f.owns}
    running = look.find("operability", initiative.record_id)
    if running is not None:
        found |= {running.text("owner"), running.by.identity}
    for decision in look.of("decisions", "initiative", initiative.record_id):
        found |= {p.text("declared_by") for p in look.of("postures", "decision", decision.record_id)}
    for held in look.of("baselines", "initiative", initiative.record_id):
        found.add(
            rows.history(db, "baselines", held.record_id)[0].by.identity
        )  # who brought it, not who approved it
    return found


def delegate_of(look: Look, review: Row, seat: str) -> str:
    """Who votes in a member's seat; empty where nobody was asked to."""
    for row in look.live("gate_delegations"):
        if row["review"] == review.record_id and row.by.identity == seat:
            return row.text("delegate")
    return ""


def why_not_vote(look: Look, review: Row, actor: str, seat: str) -> str:
    """Why this person may not vote in this seat; empty where they may."""
    if actor in review.words("contributors"):
        return "whoever asked for a review or contributed to it does not vote on it"
    if seat not in review.words("members"):
        return f"{look.name(seat)} has no seat in this review"
    if seat not in look.council:
        return f"{look.name(seat)} is no member of the council any more"
    return _not_theirs(look, review, actor, seat) or _has_voted(look, review, actor, seat)


def _not_theirs(look: Look, review: Row, actor: str, seat: str) -> str:
    delegate = delegate_of(look, review, seat)
    if actor != (delegate or seat):
        who = f"{look.name(delegate)} votes" if delegate else f"only {look.name(seat)} votes"
        return f"{who} in this seat; nobody votes for somebody else"
    user = look.find("users", actor)
    return "" if user is not None and user.state == "active" else "you are no active user"


def _has_voted(look: Look, review: Row, actor: str, seat: str) -> str:
    cast = [v for v in look.rows("gate_votes") if v["review"] == review.record_id]
    if any(v["seat"] == seat for v in cast):
        return "this seat has voted; a vote is final, a new round is a new review"
    if any(v.by.identity == actor for v in cast):
        return "you have voted in this review; nobody votes twice"
    return ""


def seat_of(look: Look, review: Row, actor: str) -> str:
    """The seat in which somebody votes: their own, or the one they were asked to fill; empty for none."""
    if actor in review.words("members") and not delegate_of(look, review, actor):
        return actor
    for row in look.live("gate_delegations"):
        if row["review"] == review.record_id and row["delegate"] == actor:
            return row.by.identity
    return ""
