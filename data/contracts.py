"""The column contract of `data.schema`, applied to text: header, kinds, vocabularies, times.

Every loader hands its rows here as text. What comes back is typed and complete, or named fault by fault.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from data import schema
from data.load.kinds import ARROW, UTC_TIME, Positions, positions, typed

FUTURE_TOLERANCE = dt.timedelta(minutes=5)
LINE = "__line"  # where a staged row came from; never stored
_OPEN_NAME = re.compile(r"^(attr|feat)_[a-z0-9_]{1,60}$")
_ADVICE = {
    "missing_column": "Add the column to the file.",
    "unknown_column": "Remove the column or give it a name of the contract (`attr_*` and `feat_*` are free).",
    "duplicate_column": "Keep one column of this name (capitals do not tell names apart).",
    "unnamed_column": "Give every column a name in the first line.",
    "missing": "Fill in the value, or remove the row.",
    "not_number": "Write a number with a decimal point and no thousands separator, such as 1234.5.",
    "not_finite": "Write a finite number, or leave the field empty where the column is optional.",
    "not_whole_number": "Write a whole number, such as 5.",
    "not_zero_or_one": "Write 0 or 1 (true and false are taken too).",
    "not_date": "Write the date as YYYY-MM-DD.",
    "not_time": "Write the time as ISO 8601 with an offset, such as 2026-01-31T14:05:00Z.",
    "naive_time": "Add the offset from UTC, such as 2026-01-31T14:05:00Z or 2026-01-31T15:05:00+01:00.",
    "future_time": "Correct the time, or the clock that wrote it: it lies more than 5 minutes ahead.",
    "before_1970": "Correct the time: the warehouse holds events from 1970 on.",
    "nul_character": "Remove the NUL character.",
}


class LoadError(ValueError):
    """Bad use of the loader, in words for the user."""


@dataclass(frozen=True)
class Column:
    """One column of a contract."""

    name: str
    kind: str
    optional: bool
    values: tuple[str, ...] = ()
    future_ok: bool = False

    @property
    def type(self) -> pa.DataType:
        return ARROW[self.kind]


@dataclass(frozen=True)
class Contract:
    """What a table takes: its columns in stored order, its key, and how its rows are placed and replaced."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event: str | None
    day_of: tuple[str, str] | None
    mutable: bool

    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type) for c in self.columns])

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def content(self) -> tuple[str, ...]:
        """Columns that make two rows the same fact: all but the clocks."""
        return tuple(c.name for c in self.columns if c.name not in schema.CLOCKS)

    def advice(self, rule: str, column: str | None) -> str:
        """What to do about a broken rule, in plain words."""
        known = self.column(column) if column else None
        if rule == "not_allowed" and known:
            return "Write one of: " + ", ".join(known.values) + "."
        if rule == "missing_column":
            return f"Add the column `{column}` to the file; {self.name} needs it."
        return _ADVICE[rule]


@dataclass(frozen=True)
class Fault:
    """A rule that some rows of a batch break: positions in the batch and the text found there."""

    rule: str
    column: str
    rows: Positions
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class HeaderFault:
    rule: str
    column: str
    value: str


@dataclass(frozen=True)
class Checked:
    """The good rows of a batch, typed, with their line numbers; and the faults of the others."""

    rows: pa.Table
    faults: tuple[Fault, ...] = field(default=())
    rejected: int = 0


def contract_for(name: str) -> Contract:
    """The contract of a warehouse table. Raises LoadError with the names there are."""
    table = schema.METADATA.tables.get(name)
    if table is None:
        near = difflib.get_close_matches(name, list(schema.METADATA.tables), 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        names = ", ".join(sorted(schema.METADATA.tables))
        raise LoadError(f"There is no table {name!r}.{hint} Tables: {names}.")
    info = table.info
    columns = tuple(_column(c) for c in table.columns)
    return Contract(name, columns, info["key"], info["event"], info["day_of"], info["mutable"])


def _column(column: sa.Column[object]) -> Column:
    info = column.info
    return Column(column.name, info["kind"], info["optional"], tuple(info["values"]), info["future_ok"])


def with_header(
    contract: Contract, header: Sequence[str]
) -> tuple[Contract, tuple[str, ...], list[HeaderFault]]:
    """The contract with the open columns of a file, the file's columns by contract name, and what is wrong."""
    names = tuple(h.strip().lower() for h in header)
    faults = [HeaderFault("unnamed_column", "", f"column {i + 1}") for i, n in enumerate(names) if not n]
    known = {c.name for c in contract.columns}
    extra = sorted({n for n in names if n and n not in known})
    for name in extra:
        if not _OPEN_NAME.match(name):
            faults.append(HeaderFault("unknown_column", name, _near(name, known)))
    twice = sorted({n for n in names if n and names.count(n) > 1})
    faults += [HeaderFault("duplicate_column", n, f"{names.count(n)} columns") for n in twice]
    needed = [c.name for c in contract.columns if not c.optional and c.name not in names]
    faults += [HeaderFault("missing_column", n, "") for n in needed]
    opened = tuple(
        Column(n, schema.open_kind(n) or "text", optional=True) for n in extra if _OPEN_NAME.match(n)
    )
    full = Contract(
        contract.name,
        contract.columns + opened,
        contract.key,
        contract.event,
        contract.day_of,
        contract.mutable,
    )
    return full, names, faults


def _near(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"did you mean {near[0]}?" if near else ""


def check(contract: Contract, text: Mapping[str, pa.Array], lines: Positions, now: dt.datetime) -> Checked:
    """Type one batch of text columns (null where missing) and check it row by row.

    `lines` are the rows' line numbers in their file, `now` is an aware UTC time. The clocks take their defaults;
    other columns that the file does not have are left out, but for those of the key.
    """
    count = len(lines)
    arrays: dict[str, pa.Array] = {}
    faults: list[Fault] = []
    for column in contract.columns:
        found = text.get(column.name)
        if found is None:
            if column.name in contract.key:
                arrays[column.name] = pa.nulls(count, column.type)
            continue
        values, broken = _checked_column(column, found, now, is_event=column.name == contract.event)
        arrays[column.name] = values
        faults += [Fault(rule, column.name, rows, _texts(found, rows)) for rule, rows in broken]
    _default_clocks(contract, arrays)
    arrays[LINE] = pa.array(lines, pa.int64())
    table = pa.table(arrays)
    if not faults:
        return Checked(table)
    bad = np.unique(np.concatenate([f.rows for f in faults]))
    good = np.ones(count, dtype=bool)
    good[bad] = False
    return Checked(table.filter(pa.array(good)), tuple(faults), bad.size)


def _checked_column(
    column: Column, text: pa.Array, now: dt.datetime, *, is_event: bool
) -> tuple[pa.Array, list[tuple[str, Positions]]]:
    result = typed(column.kind, text)
    values, faults = result.values, list(result.faults)
    if not column.optional and text.null_count:
        faults.append(("missing", positions(pc.is_null(text))))
    if column.values:
        allowed = pc.or_(pc.is_in(text, value_set=pa.array(column.values)), pc.is_null(text))
        if not pc.all(allowed, min_count=0).as_py():
            faults.append(("not_allowed", positions(pc.invert(allowed))))
    if column.kind in ("time", "date"):
        faults += _time_faults(column, values, now, is_event=is_event)
    return values, faults


def _time_faults(
    column: Column, values: pa.Array, now: dt.datetime, *, is_event: bool
) -> list[tuple[str, Positions]]:
    newest, oldest = now + FUTURE_TOLERANCE, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    faults = []
    if not column.future_ok:
        faults.append(("future_time", positions(pc.greater(values, _bound(newest, column)))))
    if is_event:
        faults.append(("before_1970", positions(pc.less(values, _bound(oldest, column)))))
    return [(rule, rows) for rule, rows in faults if rows.size]


def _bound(time: dt.datetime, column: Column) -> pa.Scalar:
    return pa.scalar(time.astimezone(dt.UTC).date() if column.kind == "date" else time, column.type)


def _texts(text: pa.Array, rows: Positions) -> tuple[str | None, ...]:
    return tuple(text.take(pa.array(rows)).to_pylist())


def _default_clocks(contract: Contract, arrays: dict[str, pa.Array]) -> None:
    """`received_at` defaults to the event time, `loaded_at` to `received_at`.

    A file that does not say when it was loaded is taken as known when it happened: readings of backfilled
    history as of a past day then work, and splitting a load in two never moves a number.
    """
    count = len(next(iter(arrays.values())))
    nulls = pa.nulls(count, UTC_TIME)
    event = arrays[contract.event].cast(UTC_TIME) if contract.event else nulls
    arrays["received_at"] = pc.coalesce(arrays.get("received_at", nulls), event)
    arrays["loaded_at"] = pc.coalesce(arrays.get("loaded_at", nulls), arrays["received_at"])
