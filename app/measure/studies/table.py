"""The rows of a study: a CSV, gzipped CSV or Parquet file, or a warehouse table, as typed columns.

A cell is missing where it is empty or NA. Anything else that is no number in a number's column is refused with its
row, column and value.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.measure.studies.spec import Scalar, SpecError
from metrics.core.shapes import Floats, Ints

MISSING = ("", "NA")
BEYOND = 1e100  # in size: no outcome, count or amount is, and sums of its squares are beyond any number


@dataclass(frozen=True)
class Levels:
    """A column of names: the position of each row's name (-1 where missing) among the names, in order met."""

    codes: Ints
    names: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows as text or typed columns; `rows` are their numbers in the source, as a reader counts, (rows,)."""

    columns: pa.Table
    name: str
    decimal: str
    rows: Ints
    hash: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns.column_names)

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def take(self, rows: Ints) -> Table:
        return Table(self.columns.take(pa.array(rows)), self.name, self.decimal, self.rows[rows], self.hash)

    def column(self, name: str) -> pa.ChunkedArray:
        if name not in self.columns.column_names:
            raise SpecError(f"{self.name} has no column {name!r}; it has: {', '.join(self.names)}")
        return self.columns[name]

    def where(self, row: int) -> str:
        return f"{self.name}, row {self.rows[row]}"

    def numbers(self, name: str) -> Floats:
        """A column of numbers; NaN where missing. SpecError names the first cell that is neither."""
        held = self.column(name)
        if pa.types.is_boolean(held.type):
            held = held.cast(pa.int8())
        if not pa.types.is_string(held.type):
            if not (
                pa.types.is_floating(held.type) or pa.types.is_integer(held.type) or _decimal(held)
                or pa.types.is_null(held.type)
            ):  # fmt: skip
                raise SpecError(f"{self.name}, column {name}: {held.type} is no number")
            values = np.array(held.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=float)
            return self._finite(values, ~np.asarray(held.is_valid()), name)
        text = _plain(held)
        if self.decimal != ".":
            self._no_points(text, name)
            text = pc.replace_substring(text, self.decimal, ".")
        empty = np.asarray(pc.fill_null(pc.is_in(text, value_set=pa.array(MISSING)), fill_value=True))
        try:
            values = np.array(pc.cast(pc.if_else(pa.array(empty), None, text), pa.float64()), dtype=float)
        except pa.ArrowInvalid:
            values = self._first_bad(text, empty, name)
        return self._finite(values, empty, name)

    def _no_points(self, text: pa.ChunkedArray, name: str) -> None:
        """Refuse cells with a point where another decimal mark is declared: 1.234 would be one, or a thousand times it."""
        row = int(pc.index(pc.match_substring(text, "."), value=True).as_py())
        if row >= 0:
            raise SpecError(
                f"{self.where(row)}, column {name}: {text[row].as_py()!r} has a point, but decimal: {self.decimal!r} is "
                "declared; write numbers without marks between thousands"
            )

    def _first_bad(self, text: pa.ChunkedArray, empty: Ints, name: str) -> Floats:
        """Raise for the first cell that is no number."""
        for row, (cell, gone) in enumerate(zip(text.to_pylist(), empty, strict=True)):
            if not gone and not _is_number(cell):
                todo = "correct it, or leave the cell empty if it is missing"
                if "," in cell and self.decimal == ".":
                    todo = 'write a decimal point, or declare decimal: ","'
                raise SpecError(f"{self.where(row)}, column {name}: {cell!r} is no number; {todo}")
        return np.array(
            [np.nan if gone else float(c) for c, gone in zip(text.to_pylist(), empty, strict=True)]
        )

    def _finite(self, values: Floats, empty: Ints, name: str) -> Floats:
        bad = np.flatnonzero(~np.isfinite(values) & ~empty)
        if len(bad):
            shown = values[bad[0]]
            raise SpecError(
                f"{self.where(int(bad[0]))}, column {name}: {shown} is no number; leave the cell empty if missing"
            )
        size = np.abs(values)
        if 0 < np.nanmax(size, initial=0.0) < 1 / BEYOND:
            raise SpecError(
                f"{self.name}, column {name}: no number is larger than {1 / BEYOND:g}; write the column in a smaller unit"
            )
        huge = np.flatnonzero(size > BEYOND)
        if len(huge):
            raise SpecError(
                f"{self.where(int(huge[0]))}, column {name}: {values[huge[0]]:g} is beyond {BEYOND:g} in size; "
                "correct it, or write the column in a larger unit"
            )
        return values

    def is_numeric(self, name: str) -> bool:
        """Whether every cell that is there is a number."""
        try:
            return bool(np.isfinite(self.numbers(name)).any())
        except SpecError:
            return False

    def levels(self, name: str) -> Levels:
        """A column of names, as written. Numbers lose a trailing .0, so that 1 and 1.0 are one name."""
        text = _plain(self._text(name))
        text = pc.replace_substring_regex(text, r"^(-?\d+)\.0+$", r"\1")
        if isinstance(text, pa.ChunkedArray):
            text = text.combine_chunks()
        coded = text.dictionary_encode()
        found = coded.dictionary.to_pylist()
        codes = np.array(pc.fill_null(coded.indices, -1), dtype=np.int64)
        for gone in [i for i, n in enumerate(found) if n in MISSING]:
            codes[codes == gone] = -1
        return Levels(codes, tuple(found))

    def _text(self, name: str) -> pa.ChunkedArray:
        held = self.column(name)
        try:
            return _as_text(held)
        except pa.ArrowException as error:
            raise SpecError(
                f"{self.name}, column {name}: {held.type} holds no names; export it as text"
            ) from error

    def complete(self, name: str) -> Levels:
        """A column of names of which none may be missing."""
        found = self.levels(name)
        bad = np.flatnonzero(found.codes < 0)
        if len(bad):
            raise SpecError(
                f"{self.where(int(bad[0]))}, column {name}: the cell is empty or NA; every row needs a value"
            )
        kept, codes = np.unique(found.codes, return_inverse=True)
        return Levels(codes.astype(np.int64), tuple(found.names[i] for i in kept))


def _decimal(held: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_decimal(held.type))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _plain(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(text)


def _as_text(held: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(held.type):
        return pc.if_else(held, "1", "0")
    return held if pa.types.is_string(held.type) else held.cast(pa.string())


def matching(names: tuple[str, ...], value: Scalar) -> list[int]:
    """Positions of the names that a value means: a text that is there means itself alone, else what is equal to it."""
    if isinstance(value, str) and value in names:
        return [names.index(value)]
    return [i for i, name in enumerate(names) if same(name, value)]


def same(name: str, value: Scalar) -> bool:
    """Whether a name in a file is the value that a specification writes: text as text, numbers as numbers."""
    if isinstance(value, bool):
        return name.strip().lower() in (("true", "1") if value else ("false", "0"))
    if isinstance(value, dt.date):
        return name == value.isoformat() or name.startswith(value.isoformat() + " ")
    if name == str(value):
        return True
    return _is_number(name) and _is_number(str(value)) and float(name) == float(value)
