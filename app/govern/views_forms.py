"""From what a form holds to a command, and from what became of it to a sentence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.govern import worker
from app.govern.model import (
    Actor,
    Add,
    Change,
    Command,
    CommandError,
    Denied,
    Invalid,
    Ledger,
    Receipt,
    Row,
    Stale,
)
from app.measure import words
from data.field_text import FieldError, parse
from data.fields import Register
from data.ledger_types import Value


@dataclass(frozen=True)
class Draft:
    """A form from its first drawing until it is saved: its idempotency key and the version it was made from."""

    key: str
    base: Row | None

    @property
    def version(self) -> int:
        return self.base.version if self.base else 0


@dataclass(frozen=True)
class Said:
    """What became of a command. `faults`: advice by field, to stand beside it. `receipt` None: nothing was written."""

    text: str
    receipt: Receipt | None = None
    faults: tuple[tuple[str, str], ...] = ()

    def advice(self, field: str) -> str:
        return " ".join(advice for name, advice in self.faults if name == field)


def new_draft(base: Row | None = None) -> Draft:
    return Draft(uuid.uuid4().hex, base)


def command_of(
    register: Register, draft: Draft, given: Mapping[str, Value], record_id: str, reason: str
) -> Command | None:
    """The command a form asks for; None where it changes nothing. Values that cannot be read go along to be refused."""
    if draft.base is None:
        filled = tuple((n, v) for n, v in given.items() if v not in (None, "", ()))
        return Add(register.name, filled, record_id.strip(), reason)
    changed = tuple((n, v) for n, v in given.items() if _differs(register, n, v, draft.base[n]))
    if not changed:
        return None
    return Change(register.name, draft.base.record_id, draft.base.version, changed, reason)


def _differs(register: Register, name: str, given: Value, held: Value) -> bool:
    field = register.field(name)
    if field is None:
        return True
    try:
        return parse(field, given) != held
    except FieldError:
        return True


def carry_out(ledger: Ledger, command: Command, actor: Actor, key: str) -> Said:
    """Ask for a command and say what became of it. Never raises for what a person can mend."""
    try:
        return Said("", worker.submit(ledger, command, actor, key))
    except Invalid as fault:
        count = words.plural(len(fault.faults), "field needs", "fields need")
        return Said(f"Nothing was saved: {count} another value.", None, fault.faults)
    except Denied as denial:
        return Said(f"Refused, and the attempt is in the audit trail. {words.sentence(str(denial))}")
    except Stale as stale:
        return Said(f"Nothing was saved: {stale}.")
    except CommandError as error:
        return Said(f"Nothing was saved: {error}.")
    except SQLAlchemyError:
        return Said("The ledger did not answer. Press save again; it will not be recorded twice.")


def carry_out_all(ledger: Ledger, commands: tuple[Command, ...], actor: Actor, key: str) -> Said:
    """The same for several commands that belong together: all or none."""
    try:
        receipts = worker.submit_all(ledger, commands, actor, key)
    except (CommandError, SQLAlchemyError) as error:
        return Said(f"Nothing was imported: {error}.")
    count = words.plural(len(receipts), "change")
    text = "This file was imported before" if receipts[0].replay else f"Imported {count}"
    return Said(f"{text}: audit entries {receipts[0].number} to {receipts[-1].number}.", receipts[-1])


def receipt_words(receipt: Receipt) -> str:
    """A receipt as a sentence."""
    once = " It had been recorded already; nothing was written twice." if receipt.replay else ""
    return (
        f"Recorded {receipt.record_id}, version {receipt.version}, as audit entry {receipt.number} at"
        f" {receipt.at:%H:%M:%S} UTC ({receipt.hash[:12]}).{once}"
    )
