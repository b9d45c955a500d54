"""How a register is declared: its fields with kind, choices and help, and the states its records move through."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from data.ledger_types import INTEGER, NUMBER, Day, Flag, UtcTime, Value, Words


class Kind(StrEnum):
    """What a field holds. `ref` names a record of another register, `person` a user, `metric` a metric's key."""

    TEXT = "text"
    LONG = "long text"
    CHOICE = "choice"
    CHOICES = "choices"
    INT = "whole number"
    NUMBER = "number"
    FLAG = "yes or no"
    DAY = "day"
    TIME = "time"
    WORDS = "list"
    REF = "reference"
    PERSON = "person"
    METRIC = "metric"
    SHA256 = "file hash"


_COLUMN: dict[Kind, sa.types.TypeEngine[Any]] = {
    Kind.CHOICES: Words(),
    Kind.INT: INTEGER,
    Kind.NUMBER: NUMBER,
    Kind.FLAG: Flag(),
    Kind.DAY: Day(),
    Kind.TIME: UtcTime(),
    Kind.WORDS: Words(),
}


@dataclass(frozen=True)
class Field:
    """One field of a register. `low` and `high` bound numbers (both included); `ref` is the register referred to.

    `owns`: the person named here owns the record. `unique`: no two live records share the value.
    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    help: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    ref: str = ""
    default: Value = None
    owns: bool = False
    unique: bool = False

    def column(self) -> sa.Column[object]:
        return sa.Column(self.name, _COLUMN.get(self.kind, sa.Text()), nullable=True)


@dataclass(frozen=True)
class Move:
    """A step of a record from one of `before` to `after`."""

    verb: str
    before: tuple[str, ...]
    after: str


@dataclass(frozen=True)
class Flow:
    """The states of a register's records: where they start, how they move, in which they may be changed.

    `live`: states in which a record counts (may be referred to, is linted and measured).
    """

    initial: str
    moves: tuple[Move, ...] = ()
    editable: tuple[str, ...] = ()
    live: tuple[str, ...] = ()

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.initial, *(m.after for m in self.moves))))

    def move(self, verb: str) -> Move | None:
        return next((m for m in self.moves if m.verb == verb), None)


RECORD = Flow(
    "active",
    (Move("retire", ("active",), "retired"), Move("restore", ("retired",), "active")),
    editable=("active",),
    live=("active",),
)
REQUEST = Flow(
    "draft",
    (
        Move("submit", ("draft",), "submitted"),
        Move("withdraw", ("draft", "submitted"), "withdrawn"),
        Move("accept", ("submitted",), "accepted"),
        Move("reject", ("submitted",), "rejected"),
        Move("revoke", ("accepted",), "revoked"),
        Move("lapse", ("accepted",), "expired"),
    ),
    editable=("draft",),
    live=("draft", "submitted", "accepted"),
)
LOG = Flow("recorded", live=("recorded",))


@dataclass(frozen=True)
class Register:
    """A list of records that people keep. `prefix` numbers new records (RISK-0001); without one the user names them."""

    name: str
    title: str
    noun: str
    help: str
    fields: tuple[Field, ...]
    prefix: str = ""
    flow: Flow = RECORD
    label: str = "title"

    def field(self, name: str) -> Field | None:
        return self._by_name.get(name)

    @functools.cached_property
    def _by_name(self) -> dict[str, Field]:
        return {f.name: f for f in self.fields}

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields)

    @functools.cached_property
    def owners(self) -> tuple[str, ...]:
        """The fields that name somebody who owns the record."""
        return tuple(f.name for f in self.fields if f.owns)

    @property
    def verbs(self) -> tuple[str, ...]:
        change = ("change",) if self.flow.editable else ()
        return ("add", *change, *(m.verb for m in self.flow.moves))


def text(name: str, title: str, help: str = "", *, required: bool = False, unique: bool = False) -> Field:  # noqa: A002
    return Field(name, title, Kind.TEXT, help, required=required, unique=unique)


def long(name: str, title: str, help: str = "", *, required: bool = False) -> Field:  # noqa: A002
    return Field(name, title, Kind.LONG, help, required=required)


def choice(name: str, title: str, *choices: str, help: str = "", required: bool = False) -> Field:  # noqa: A002
    return Field(name, title, Kind.CHOICE, help, required=required, choices=choices)


def ref(name: str, title: str, register: str, help: str = "", *, required: bool = False) -> Field:  # noqa: A002
    return Field(name, title, Kind.REF, help, required=required, ref=register)


def person(name: str, title: str, help: str = "", *, required: bool = False, owns: bool = False) -> Field:  # noqa: A002
    return Field(name, title, Kind.PERSON, help, required=required, owns=owns)


def day(name: str, title: str, help: str = "", *, required: bool = False) -> Field:  # noqa: A002
    return Field(name, title, Kind.DAY, help, required=required)


def words(name: str, title: str, help: str = "") -> Field:  # noqa: A002
    return Field(name, title, Kind.WORDS, help)


def number(
    name: str, title: str, help: str = "", *, required: bool = False, low: float | None = None, high: float | None = None  # noqa: A002
) -> Field:  # fmt: skip
    return Field(name, title, Kind.NUMBER, help, required=required, low=low, high=high)


def whole(
    name: str, title: str, help: str = "", *, required: bool = False, low: float | None = None, high: float | None = None  # noqa: A002
) -> Field:  # fmt: skip
    return Field(name, title, Kind.INT, help, required=required, low=low, high=high)
