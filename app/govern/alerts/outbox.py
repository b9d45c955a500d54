"""The outbox: one record for each event and recipient, made, claimed, delivered and settled through the one write path.

The record's identifier is made of event and recipient and is its table's key, so no two can exist. A delivery is claimed
before it is made: of two senders one gets it. A crash between delivery and record leaves the claim standing; once it is
older than LEASE the delivery is made again. So nothing is lost, and each crash costs at most one duplicate, which carries
the same Message-ID (mail) or Idempotency-Key (webhook) as the first: receivers that look at it count it once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.govern import rows
from app.govern.alerts.event import Event
from app.govern.commands import execute, values_of
from app.govern.model import SYSTEM, Actor, Add, Denied, Invalid, KeyReused, Ledger, Row, Stale, Step

APP = Actor(SYSTEM, "throughline")
WEBHOOK = "webhook"  # the recipient of what is posted
LEASE = dt.timedelta(minutes=10)  # longer than any delivery takes; an older claim is a crash
FIRST_WAIT, LONGEST_WAIT = dt.timedelta(minutes=1), dt.timedelta(days=1)  # between failed attempts
_ALERTS = uuid.UUID("3e9a51c8-8f0e-4a3e-8d8a-0c6f0b6f5d21")


class DeliveryError(RuntimeError):
    """A message that was not taken; it stays queued."""


@dataclass(frozen=True)
class Message:
    """What is delivered. `id` is the same for every attempt; `people`: names of those whom the event concerns."""

    id: str
    kind: str
    register: str
    record_id: str
    recipient: str
    subject: str
    text: str
    due: dt.date | None
    at: dt.datetime


class Channel(Protocol):
    """A way to somebody. `reaches` says whether it leads to a recipient; `send` raises DeliveryError."""

    @property
    def name(self) -> str: ...

    def reaches(self, recipient: str) -> bool: ...

    def send(self, message: Message) -> None: ...


@dataclass(frozen=True)
class Sent:
    """What became of one record in this run: sent, failed (with why), or left to somebody else."""

    alert: str
    outcome: str
    why: str = ""


def alert_id(event: str, recipient: str) -> str:
    """The one identifier that an event has for a recipient."""
    return uuid.uuid5(_ALERTS, f"{event}\n{recipient}").hex


def unsent(held: Iterable[Row], pairs: Sequence[tuple[Event, str]]) -> tuple[tuple[Event, str], ...]:
    """The pairs of event and recipient that have no record yet."""
    known = {r.record_id for r in held}
    return tuple((e, r) for e, r in pairs if alert_id(e.key, r) not in known)


def queue(ledger: Ledger, pairs: Sequence[tuple[Event, str]]) -> int:
    """Record that these will be told; how many were new. What somebody else recorded meanwhile is left as it is."""
    new = 0
    for event, recipient in pairs:
        values = values_of(
            event=event.key, kind=event.kind, about_register=event.register, about_record=event.record_id,
            recipient=recipient, subject=event.subject, message=event.text, due=event.due,
        )  # fmt: skip
        name = alert_id(event.key, recipient)
        try:
            receipt = execute(ledger, Add("alerts", values, name), APP, f"alert/{name}")
        except (Denied, Invalid, KeyReused):
            if _current(ledger, name) is None:
                raise  # not because it was there already
            continue
        new += not receipt.replay
    return new


def close(ledger: Ledger, held: Iterable[Row], why: str) -> int:
    """Take records off the outbox that need no telling any more, so that the next breach is told anew."""
    return sum(_step(ledger, "close", row, why) is not None for row in held)


def deliver(ledger: Ledger, channels: Sequence[Channel]) -> tuple[Sent, ...]:
    """Deliver what is queued, and what a crash left claimed. Each record on its own: one failure holds up no other."""
    with ledger.store.read() as db:
        held = tuple(r for r in rows.rows(db, "alerts", live=True) if r.state != "sent")
    done = []
    for row in sorted(held, key=lambda r: r.seq):
        channel = next((c for c in channels if c.reaches(row.text("recipient"))), None)
        if channel is not None and _ready(row, ledger.clock()):
            done.append(_one(ledger, channel, row))
    return tuple(done)


def _one(ledger: Ledger, channel: Channel, row: Row) -> Sent:
    claimed = _step(ledger, "claim", row, channel.name)
    if claimed is None:
        return Sent(row.record_id, "left", "another run took it")
    try:
        channel.send(message_of(claimed))
    except DeliveryError as error:
        _step(ledger, "fail", claimed, str(error)[:500])
        return Sent(row.record_id, "failed", str(error))
    _step(ledger, "send", claimed, channel.name)
    return Sent(row.record_id, "sent")


def _ready(row: Row, now: dt.datetime) -> bool:
    """Whether it is this record's turn: a new one at once, a failed one after a wait that doubles, a claim after its lease."""
    if row.state == "sending":
        return now - row.at > LEASE
    failed = (row.version - 1) // 2
    wait = min(FIRST_WAIT * 2 ** min(failed - 1, 20), LONGEST_WAIT) if failed else dt.timedelta()
    return now - row.at >= wait


def _step(ledger: Ledger, verb: str, row: Row, why: str) -> Row | None:
    """Move a record; None where somebody else moved it first."""
    key = f"alert/{row.record_id}/{row.version}/{verb}/{uuid.uuid4().hex}"
    try:
        execute(ledger, Step(verb, "alerts", row.record_id, row.version, " ".join(why.split())), APP, key)
    except (Denied, Stale):
        return None
    return _current(ledger, row.record_id)


def _current(ledger: Ledger, name: str) -> Row | None:
    with ledger.store.read() as db:
        return rows.current(db, "alerts", name)


def message_of(row: Row) -> Message:
    due = row["due"]
    return Message(
        row.record_id, row.text("kind"), row.text("about_register"), row.text("about_record"), row.text("recipient"),
        row.text("subject"), row.text("message"), due if isinstance(due, dt.date) else None, row.at,
    )  # fmt: skip
