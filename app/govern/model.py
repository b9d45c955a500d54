"""The nouns of the write path: actor, commands, receipt, record, and the ways in which a command is not carried out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from data.ledger_store import Store
from data.ledger_types import Value
from data.registers import REGISTERS

Values = tuple[tuple[str, Value], ...]
Clock = Callable[[], dt.datetime]

OPERATOR, SYSTEM = "operator", "system"
RESERVED = (OPERATOR, SYSTEM)  # issuers that nobody can sign in with


@dataclass(frozen=True)
class Actor:
    """Who acts, as (issuer, subject). Rights are not in here: they are read from the ledger at every call."""

    issuer: str
    subject: str

    @property
    def identity(self) -> str:
        """The record in the register of users."""
        return f"{self.issuer}|{self.subject}"


@dataclass(frozen=True)
class Add:
    """A new record. `record_id` only where the register lets the user name it."""

    register: str
    values: Values
    record_id: str = ""
    reason: str = ""
    verb: str = field(default="add", init=False)
    seen: int = field(default=0, init=False)


@dataclass(frozen=True)
class Change:
    """New values for some fields; `seen` is the version the person saw."""

    register: str
    record_id: str
    seen: int
    values: Values
    reason: str = ""
    verb: str = field(default="change", init=False)


@dataclass(frozen=True)
class Step:
    """A move of the register's flow: retire, restore, submit, accept and so on."""

    verb: str
    register: str
    record_id: str
    seen: int
    reason: str = ""
    values: Values = field(default=(), init=False)


Command = Add | Change | Step


@dataclass(frozen=True)
class Receipt:
    """Proof that a command is recorded, read back after the commit. `replay`: it had been recorded before."""

    number: int
    hash: str
    at: dt.datetime
    register: str
    record_id: str
    version: int
    replay: bool = False


@dataclass(frozen=True)
class Row:
    """One version of a record."""

    register: str
    record_id: str
    version: int
    seq: int
    state: str
    at: dt.datetime
    by: Actor
    reason: str
    values: Mapping[str, Value]

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def text(self, name: str) -> str:
        """A field as text; empty where it is not filled in."""
        value = self.values[name]
        return "" if value is None else str(value)

    def words(self, name: str) -> tuple[str, ...]:
        """A field of words; none where it is not filled in."""
        value = self.values[name]
        return value if isinstance(value, tuple) else ()

    @property
    def live(self) -> bool:
        """Whether the record counts: not retired, rejected or expired."""
        return self.state in REGISTERS[self.register].flow.live


@dataclass(frozen=True)
class Ledger:
    """An open ledger and the clock that its entries are stamped with."""

    store: Store
    clock: Clock


class CommandError(ValueError):
    """A command that was not carried out; nothing was written but, for a denial, the attempt."""


class Denied(CommandError):  # noqa: N818 (the word people use)
    """The actor may not, or the record's state does not allow it. The attempt is in the audit trail."""


class Invalid(CommandError):  # noqa: N818
    """Values that the register does not take: one (field, advice) for each."""

    def __init__(self, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(advice for _, advice in faults))
        self.faults = faults


class Stale(CommandError):  # noqa: N818
    """Somebody wrote a newer version than the one the person saw."""

    def __init__(self, current: Row) -> None:
        who, when = current.by.identity, current.at.strftime("%Y-%m-%d %H:%M:%S UTC")
        super().__init__(
            f"{current.record_id} was changed by {who} at {when} (now version {current.version});"
            " look at it again and repeat your change"
        )
        self.current = current


class KeyReused(CommandError):  # noqa: N818
    """A key that already stands for another command."""
