"""What the council's forms ask for, as commands; and what became of them, as sentences."""

from __future__ import annotations

from collections.abc import Callable

from app.govern.commands import find
from app.govern.gates.evaluate import Sources, sources
from app.govern.gates.review import (
    Reasons,
    Request,
    deciding,
    delegating,
    opening,
    review_row,
    revoking,
    voting,
)
from app.govern.model import Actor, Add, Command, CommandError
from app.govern.views import Room
from app.govern.views_forms import Said, carry_out
from app.runtime import Runtime
from data.audit import sha256
from data.ledger_types import Value


def carry(room: Room, make: Callable[[Actor], Command], key: str) -> Said:
    """Make a command and carry it out; what stands in the way is said, never raised."""
    if room.actor is None:
        return Said("Nobody is signed in.")
    try:
        command = make(room.actor)
    except CommandError as error:
        return Said(f"Nothing was saved: {error}.")
    said = carry_out(room.ledger, command, room.actor, key)
    return Said(f"{said.text} {' '.join(a for _, a in said.faults)}".strip(), said.receipt, said.faults)


def ask(room: Room, found: Sources, asked: Request, key: str) -> Said:
    """Open a review."""
    return carry(room, lambda actor: opening(room.ledger, found, actor, asked), key)


def cast(room: Room, found: Sources, number: str, vote: str, statement: str) -> Said:
    """One's own vote. It can be meant once only, so its key needs no session."""
    key = f"vote/{number}/{room.actor.identity if room.actor else ''}/{vote}"
    review = review_row(found.look, number)
    return carry(room, lambda actor: voting(found.look, review, actor, vote, statement), key[:200])


def hand_over(room: Room, found: Sources, number: str, delegate: str, key: str) -> Said:
    return carry(room, lambda _: delegating(review_row(found.look, number), delegate), key)


def propose(room: Room, number: str, values: tuple[tuple[str, Value], ...], key: str) -> Said:
    filled = tuple((n, v) for n, v in values if v not in (None, "", ()))
    return carry(room, lambda _: Add("conditions", (("review", number), *filled)), key)


def decide(room: Room, runtime: Runtime, number: str, outcome: str, reasons: Reasons, seen: str) -> Said:
    """Record the decision on the evidence that was on the screen, measured once more at this moment."""
    by = sha256(room.actor.identity if room.actor else "")[:16]
    key = f"decide/{number}/{outcome}/{seen[:16]}/{by}"
    done = find(room.ledger, key)
    if (
        done is not None
    ):  # a second click; by now the decision stands, and measured again it would follow itself
        return Said("", done)
    found = sources(runtime, room.ledger, runtime.readings.pinned())
    review = review_row(found.look, number)
    return carry(room, lambda _: deciding(found, review, outcome, reasons, seen), key)


def revoke(room: Room, found: Sources, number: str, why: str, key: str) -> Said:
    decision = found.look.find("gate_decisions", number)
    if decision is None:
        return Said(f"There is no gate decision {number}.")
    return carry(room, lambda _: revoking(decision, why), key)
