"""The one write path. A command is carried out once, whole, by somebody who may, or not at all.

One transaction writes the row version and its audit entry; the idempotency key is a unique column of that entry, so
neither can exist without the other two. A retry with the same key, at any time and from anywhere, gives the same receipt.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping

import sqlalchemy as sa

from app.govern import checks, rows
from app.govern.access import why_not
from app.govern.model import (
    Actor,
    Command,
    CommandError,
    Denied,
    Invalid,
    KeyReused,
    Ledger,
    Receipt,
    Row,
    Stale,
    Step,
    Values,
)
from data.audit import NOTHING, Entry, Json, canonical, sha256
from data.fields import Register
from data.ledger import AUDIT, COMMON, TABLES
from data.ledger_types import Value, stored, utc_text, utc_time
from data.registers.gates import COUNCIL

LONGEST_KEY, LONGEST_REASON, LONGEST_NAME = 200, 2_000, 500


def execute(ledger: Ledger, command: Command, actor: Actor, key: str) -> Receipt:
    """Carry out one command. `key`: made when the form is first drawn, the same for every retry.

    Raises Denied, Invalid, Stale or KeyReused; nothing is then written but the audit entry of a denial.
    """
    return execute_all(ledger, (command,), actor, key)[0]


def execute_all(ledger: Ledger, commands: tuple[Command, ...], actor: Actor, key: str) -> tuple[Receipt, ...]:
    """Carry out several commands in one transaction: all or none."""
    _sound(commands, actor, key)
    keys = tuple(key if n == 0 else f"{key}/{n}" for n in range(len(commands)))
    now = utc_text(ledger.clock())
    replay = True
    command = commands[0]
    try:
        with ledger.store.write() as db:
            for command, own in zip(commands, keys, strict=True):
                if not _recorded(db, own, _request(command, actor)):
                    _carry_out(db, command, actor, own, now)
                    replay = False
    except Denied as denial:
        with ledger.store.write() as db:
            _record_denial(db, command, actor, str(denial), now)
        raise
    with ledger.store.read() as db:  # a connection of its own: what it sees is what was committed
        return tuple(_receipt(db, own, replay=replay) for own in keys)


def rehearse(ledger: Ledger, commands: tuple[Command, ...], actor: Actor) -> tuple[CommandError | None, ...]:
    """What would become of each command after the ones before it: None where it would be recorded. Nothing is written."""
    said: list[CommandError | None] = []
    now, key = utc_text(ledger.clock()), uuid.uuid4().hex
    with contextlib.suppress(_GivenUp), ledger.store.write() as db:
        for at, command in enumerate(commands):
            try:
                _sound((command,), actor, key)
                _carry_out(db, command, actor, f"{key}/{at}", now)
                said.append(None)
            except CommandError as error:
                said.append(error)
        raise _GivenUp
    return tuple(said)


class _GivenUp(Exception):  # noqa: N818 (how a rehearsal ends its transaction)
    """Everything the rehearsal wrote is taken back."""


def _sound(commands: tuple[Command, ...], actor: Actor, key: str) -> None:
    """Raise CommandError for what no form and no sign-in hands over: names that cannot be stored or looked up."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise CommandError(f"a command needs an idempotency key of 1 to {LONGEST_KEY} printable characters")
    names = (actor.issuer, actor.subject, *(n for c in commands for n in (c.verb, c.register, c.record_id)))
    if not commands or any(len(n) > LONGEST_NAME or not n.isprintable() for n in names):
        raise CommandError(
            f"actor, verb, register and identifier are at most {LONGEST_NAME} printable characters"
        )
    if any(len(c.reason) > LONGEST_REASON or "\x00" in c.reason or not _encodes(c.reason) for c in commands):
        raise Invalid((("reason", f"Write the reason as text of at most {LONGEST_REASON} characters."),))


def _encodes(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def find(ledger: Ledger, key: str) -> Receipt | None:
    """The receipt of a key, if its command was recorded: the answer to "was it saved?"."""
    with ledger.store.read() as db:
        known = db.execute(sa.select(AUDIT.c.seq).where(AUDIT.c.idempotency_key == key)).scalar()
        return None if known is None else _receipt(db, key, replay=True)


def _request(command: Command, actor: Actor) -> str:
    """The hash of what is asked and by whom."""
    values = _asked(command)
    asked: list[Json] = [
        command.verb,
        command.register,
        command.record_id,
        command.seen,
        command.reason,
        values,
    ]
    return sha256(canonical([actor.issuer, actor.subject, *asked]))


def _asked(command: Command) -> dict[str, str]:
    """The values as they were handed over, before anybody has looked whether they are sound."""
    return {ascii(name): ascii(value)[:LONGEST_REASON] for name, value in command.values}


def _recorded(db: sa.Connection, key: str, request: str) -> bool:
    """Whether the key's command is recorded. Raises KeyReused if the key stands for another one."""
    found = db.execute(sa.select(AUDIT.c.request).where(AUDIT.c.idempotency_key == key)).scalar()
    if found is not None and found != request:
        raise KeyReused(f"the key {key} already stands for another command; reload the form and try again")
    return found is not None


def _carry_out(db: sa.Connection, command: Command, actor: Actor, key: str, now: str) -> None:
    register = rows.register_of(command.register)
    row = rows.current(db, register.name, command.record_id) if command.verb != "add" else None
    _allow(db, command, actor, register, row)
    if row is not None and row.version != command.seen:
        raise Stale(row)
    given = checks.parsed(register, command.values)
    before = row.values if row else {}
    state = _next_state(register, row, command)
    values = checks.complete(register, {**before, **given}, state)
    record_id = row.record_id if row else checks.new_id(db, register, command.record_id, values)
    _council_rules(db, command, actor, record_id, values, now)
    if row is None and rows.current(db, register.name, record_id):
        raise Invalid((("record_id", f"{record_id} is there already; change it instead of adding it."),))
    checks.check(db, register, record_id, values, before)
    if register.name == "users":
        checks.keeps_an_admin(db, record_id, command.verb, values)
    _write(db, command, actor, key, now, record_id, (row.version if row else 0) + 1, state, values)


def _allow(db: sa.Connection, command: Command, actor: Actor, register: Register, row: Row | None) -> None:
    """Raise Denied unless the policy and the record's state allow it. Who may do nothing here learns nothing."""
    roles = rows.roles_of(db, actor)
    relation = rows.relation(db, actor, register, row, dict(command.values))
    reason = why_not(register.name, command.verb, roles, relation)
    if reason:
        raise Denied(f"{command.verb} {register.noun}: {reason}")
    if command.verb == "add":
        return
    if row is None:
        raise Invalid((("record_id", f"there is no {register.noun} {command.record_id!r}"),))
    move = register.flow.move(command.verb)
    states = move.before if move else register.flow.editable
    if row.version == command.seen and row.state not in states:
        able = " or ".join(states) or "no state"
        raise Denied(
            f"{command.verb} {row.record_id}: it is {row.state}; that is possible only while it is {able}"
        )


def _council_rules(
    db: sa.Connection, command: Command, actor: Actor, record_id: str, values: Mapping[str, Value], now: str
) -> None:
    """Raise Denied or Invalid unless the council's own rules allow it."""
    if command.register in COUNCIL:
        from app.govern.gates import guard  # knows every metric, which other records do not need

        guard.check(db, command.register, command.verb, actor, record_id, values, utc_time(now))


def _next_state(register: Register, row: Row | None, command: Command) -> str:
    if row is None:
        return register.flow.initial
    move = register.flow.move(command.verb) if isinstance(command, Step) else None
    return move.after if move else row.state


def _write(
    db: sa.Connection,
    command: Command,
    actor: Actor,
    key: str,
    now: str,
    record_id: str,
    version: int,
    state: str,
    values: Mapping[str, Value],
) -> None:
    """The audit entry and the row version, both or neither: they are in one transaction."""
    head = _head(db)
    seq = head.seq + 1 if head else 1
    common = (record_id, version, seq, state, now, actor.issuer, actor.subject, command.reason)
    row: dict[str, Json] = {
        **dict(zip(COMMON, common, strict=True)),
        **{n: stored(v) for n, v in values.items()},
    }
    body: dict[str, Json] = {"row": row, **_clock_note(head, now)}
    entry = Entry(
        seq, now, actor.issuer, actor.subject, command.verb, command.register, record_id, version, "done", key,
        _request(command, actor), canonical(body), head.hash if head else NOTHING,
    )  # fmt: skip
    db.execute(AUDIT.insert().values(**vars(entry.sealed())))
    db.execute(TABLES[command.register].insert().values(**{**row, **values, "at": utc_time(now)}))


def _record_denial(db: sa.Connection, command: Command, actor: Actor, reason: str, now: str) -> None:
    """An entry without a row. It takes no key: the same form may be sent again once the right is granted."""
    head = _head(db)
    asked: dict[str, Json] = {"values": _asked(command), "reason": command.reason}
    body: dict[str, Json] = {"reason": reason, "asked": asked, **_clock_note(head, now)}
    entry = Entry(
        head.seq + 1 if head else 1, now, actor.issuer, actor.subject, command.verb, command.register,
        command.record_id, 0, "denied", None, _request(command, actor), canonical(body), head.hash if head else NOTHING,
    )  # fmt: skip
    db.execute(AUDIT.insert().values(**vars(entry.sealed())))


def _clock_note(head: Entry | None, now: str) -> dict[str, str]:
    """Order is by sequence; a clock that went back is written down, not corrected."""
    return {"clock": f"went back from {head.at}"} if head and now < head.at else {}


def _head(db: sa.Connection) -> Entry | None:
    found = db.execute(sa.select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(1)).mappings().first()
    return None if found is None else Entry(**{str(name): value for name, value in found.items()})


def _receipt(db: sa.Connection, key: str, *, replay: bool) -> Receipt:
    found = db.execute(sa.select(AUDIT).where(AUDIT.c.idempotency_key == key)).mappings().one()
    return Receipt(
        found["seq"], found["hash"], utc_time(found["at"]), found["register"], found["record_id"], found["version"],
        replay,
    )  # fmt: skip


def values_of(**values: Value) -> Values:
    """Values for a command, written as keywords."""
    return tuple(values.items())
