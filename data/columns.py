"""How a column of the contract is declared: its kind, whether it may be absent, whom it identifies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()

KINDS: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "text": sa.Text,
    "float": sa.Double,
    "int": sa.BigInteger,
    "bit": sa.SmallInteger,
    "bool": sa.Boolean,
    "time": sa.TIMESTAMP,
    "date": sa.Date,
}

# Columns a company may add to `predictions` under these prefixes: protected attributes and model features.
OPEN_PREFIXES = {"attr_": "text", "feat_": "text"}
CLOCKS = ("received_at", "loaded_at")


@dataclass(frozen=True)
class Col:
    """One column of the contract, in the words of `shared/schema.md`."""

    name: str
    kind: str = "text"
    comment: str = ""
    optional: bool = False
    personal: bool = False
    values: tuple[str, ...] = field(default=())
    future_ok: bool = False

    def column(self) -> sa.Column[object]:
        type_ = sa.TIMESTAMP(timezone=True) if self.kind == "time" else KINDS[self.kind]()
        info = {
            "kind": self.kind,
            "optional": self.optional,
            "personal": self.personal,
            "values": self.values,
            "future_ok": self.future_ok,
        }
        return sa.Column(self.name, type_, nullable=self.optional, comment=self.comment, info=info)


def id_(name: str, comment: str = "", *, optional: bool = False) -> Col:
    return Col(name, comment=comment or "identifier", optional=optional)


def person(name: str = "person_id", *, optional: bool = False) -> Col:
    return Col(name, comment="person the row is about", personal=True, optional=optional)


def time(name: str, comment: str = "", *, optional: bool = False, future_ok: bool = False) -> Col:
    return Col(name, "time", comment or "UTC time", optional, future_ok=future_ok)


def opt(name: str, kind: str = "text", comment: str = "", values: tuple[str, ...] = ()) -> Col:
    return Col(name, kind, comment, optional=True, values=values)


def one_of(name: str, *values: str, optional: bool = False) -> Col:
    return Col(name, comment="one of: " + ", ".join(values), values=values, optional=optional)


def table(
    name: str,
    comment: str,
    key: tuple[str, ...],
    *cols: Col,
    event: str | None = None,
    day_of: tuple[str, str] | None = None,
    mutable: bool = False,
) -> sa.Table:
    clocks = (
        time("received_at", "collector's clock; defaults to the event time", optional=True),
        time("loaded_at", "when the warehouse knew it; defaults to received_at", optional=True),
    )
    info = {"key": key, "event": event, "day_of": day_of, "mutable": mutable}
    columns = [c.column() for c in (*cols, *clocks)]
    return sa.Table(name, METADATA, *columns, comment=comment, info=info)


def open_kind(name: str) -> str | None:
    """The kind of an open column (`attr_*`, `feat_*`), or None where the name is not one."""
    return next((kind for prefix, kind in OPEN_PREFIXES.items() if name.startswith(prefix)), None)
