"""One run of the alerts: let lapses act, close what is over, record what is due, deliver what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.govern.alerts import outbox
from app.govern.alerts.event import Event
from app.govern.alerts.events import breaches, events
from app.govern.alerts.outbox import WEBHOOK, Channel
from app.govern.books import act_on_lapses
from app.govern.gates import watch as council
from app.govern.gates.evaluate import sources
from app.govern.model import SYSTEM, Actor, Ledger, Row
from app.govern.views import Room, open_room
from app.runtime import Runtime
from metrics.core.verdict import State

READER = Actor(SYSTEM, "alerts")
OVER = "it is over or has been seen to"
Channels = Callable[[Room], tuple[Channel, ...]]


@dataclass(frozen=True)
class Told:
    """One event for one recipient, and what became of it: due (nothing was sent), sent, failed, queued."""

    event: str
    kind: str
    recipient: str
    subject: str
    text: str
    outcome: str
    why: str

    def message(self) -> str:
        return f"{self.outcome:8} {self.recipient:24} {self.subject}{f'; {self.why}' if self.why else ''}"


@dataclass(frozen=True)
class Run:
    """`unreachable`: people concerned whom no channel reaches."""

    due: int
    new: int
    sent: int
    failed: int
    closed: int
    unreachable: tuple[str, ...]
    told: tuple[Told, ...]

    def message(self) -> str:
        head = f"{self.due} due, {self.new} new, {self.sent} sent, {self.failed} failed, {self.closed} closed"
        missing = (f"no channel reaches: {', '.join(self.unreachable)}",) if self.unreachable else ()
        return "\n".join((head, *missing, *(t.message() for t in self.told)))


def rehearse(runtime: Runtime, ledger: Ledger, channels: Channels) -> Run:
    """What a run would tell, and whom. Nothing is written and nothing is sent."""
    room = open_room(ledger, READER, runtime.watch)
    found = events(room, council.watched(sources(runtime, ledger)))
    pairs, missed = _pairs(found, channels(room), room)
    waiting = outbox.unsent(room.rows("alerts"), pairs)
    return Run(len(found), len(waiting), 0, 0, 0, missed, tuple(_told(e, r, "due", "") for e, r in waiting))


def run(runtime: Runtime, ledger: Ledger, channels: Channels) -> Run:
    """Tell what is due and untold. Safe to repeat, to stop at any point and to run twice at once."""
    act_on_lapses(ledger, breached=runtime.watch.seen().breached)
    council.act(ledger, sources(runtime, ledger))
    room = open_room(ledger, READER, runtime.watch)
    found = events(room, council.watched(sources(runtime, ledger)))
    over = outbox.close(ledger, _over(room, found), OVER)
    room = open_room(ledger, READER, runtime.watch)
    ways = channels(room)
    pairs, missed = _pairs(found, ways, room)
    new = outbox.queue(ledger, outbox.unsent(room.rows("alerts"), pairs))
    done = outbox.deliver(ledger, ways)
    after = open_room(ledger, READER).shelf["alerts"]
    told = tuple(_of(after[s.alert], s.outcome, s.why) for s in done)
    count = [s.outcome for s in done]
    return Run(len(found), new, count.count("sent"), count.count("failed"), over, missed, told)


def _pairs(
    found: tuple[Event, ...], ways: tuple[Channel, ...], room: Room
) -> tuple[tuple[tuple[Event, str], ...], tuple[str, ...]]:
    """Who is told what, and who cannot be: a webhook gets each event once, people get theirs."""
    pairs = [(e, r) for e in found for r in (*e.people, WEBHOOK) if any(c.reaches(r) for c in ways)]
    reached = {r for _, r in pairs}
    missed = (
        ()
        if WEBHOOK in reached
        else sorted({room.name(p) for e in found for p in e.people if p not in reached})
    )
    return tuple(pairs), tuple(missed)


def _over(room: Room, found: tuple[Event, ...]) -> tuple[Row, ...]:
    """Records to close: untold ones whose event is over, and told breaches whose indicator is sound again."""
    due = {e.key for e in found}
    sound = {one.base for one in breaches(room) if one.state is State.MET}
    bounds = {one.base for one in breaches(room)}
    closing = []
    for row in room.live("alerts"):
        base = row.text("event").rpartition("/")[0]
        gone = row["kind"] == "indicator in breach" and (base in sound or base not in bounds)
        if gone or (row.state == "queued" and row.text("event") not in due):
            closing.append(row)
    return tuple(closing)


def _told(event: Event, recipient: str, outcome: str, why: str) -> Told:
    return Told(event.key, event.kind, recipient, event.subject, event.text, outcome, why)


def _of(row: Row, outcome: str, why: str) -> Told:
    return Told(
        row.text("event"), row.text("kind"), row.text("recipient"), row.text("subject"), row.text("message"), outcome, why
    )  # fmt: skip
