"""A study's rows from a file or a warehouse table, whole: what cannot be read for certain is refused with its reason."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import sqlalchemy as sa

from app.measure.studies.spec import Source, SpecError
from app.measure.studies.table import Table
from data.engines import Warehouse
from metrics.core.shapes import Ints

LONGEST_NAME = 131_072  # characters of a column's name
BLOCK, LONGEST_ROW = 1 << 20, 64 << 20  # bytes that are parsed at a time
MOST_BYTES = 4 << 30  # of a file, unpacked


def read_table(source: Source, warehouse: Warehouse | None = None) -> Table:
    """The rows of a source, whole. SpecError for what cannot be read."""
    if source.path is None:
        return _from_warehouse(source, warehouse)
    raw = source.path.read_bytes()
    hashed = hashlib.sha256(raw).hexdigest()
    name = source.path.name
    try:
        if name.lower().endswith(".parquet"):
            _once(pyarrow.parquet.read_schema(io.BytesIO(raw)).names, name)
            held = pyarrow.parquet.read_table(io.BytesIO(raw))
            rows = _numbered(held, 1)
        else:
            held, rows = _csv(_unpacked(raw, name) if name.lower().endswith(".gz") else raw, source)
    except UnicodeDecodeError as error:
        raise SpecError(f"{name}: not UTF-8 text at byte {error.start}; save it as UTF-8") from error
    except (pa.ArrowException, OSError, EOFError, zlib.error, csv.Error) as error:
        raise SpecError(f"{name}: {error}; mend or export the file again") from error
    _once(held.column_names, name)
    if not held.num_rows:
        raise SpecError(f"{name} has no rows below its header")
    return Table(_decoded(held), name, source.decimal, rows, hashed)


def _numbered(held: pa.Table, first: int) -> Ints:
    return np.arange(first, first + held.num_rows)


def _once(names: list[str], name: str) -> None:
    """Refuse a column name that occurs twice."""
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise SpecError(f"{name}: the header names {twice!r} twice; rename one")


def _unpacked(raw: bytes, name: str) -> bytes:
    with gzip.open(io.BytesIO(raw)) as file:
        text = file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise SpecError(
            f"{name} is larger than {MOST_BYTES >> 30} GiB unpacked; keep the columns of the study only"
        )
    return text


def _decoded(held: pa.Table) -> pa.Table:
    """Dictionary-encoded and large text columns as plain text."""
    for i, field in enumerate(held.schema):
        if pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type):
            held = held.set_column(i, field.name, held.column(i).cast(pa.string()))
    return held


def _csv(raw: bytes, source: Source) -> tuple[pa.Table, Ints]:
    """All columns as text, and the rows' numbers: what a column means is decided by the specification, never sniffed."""
    whole = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in whole:
        whole = whole.replace(b"\r", b"\n")  # line ends of old spreadsheets
    raw = whole.lstrip(b"\r\n")
    head = raw.split(b"\n", 1)[0].decode("utf-8").rstrip("\r")
    csv.field_size_limit(LONGEST_NAME)  # one for the whole process: every reader sets its own
    header = next(csv.reader([head], delimiter=source.delimiter), [])
    name = source.name
    if len(header) == 1 and (
        other := next((d for d in ";\t|," if d != source.delimiter and d in head), None)
    ):
        raise SpecError(
            f"{name}: the header is one column, {header[0]!r}; if {other!r} separates columns write delimiter: {other!r}"
        )
    found = pyarrow.csv.read_csv(
        io.BytesIO(raw),
        read_options=pyarrow.csv.ReadOptions(block_size=max(BLOCK, min(len(raw), LONGEST_ROW))),
        parse_options=pyarrow.csv.ParseOptions(delimiter=source.delimiter, newlines_in_values=b'"' in raw),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={h: pa.string() for h in header}, strings_can_be_null=False
        ),
    )
    if raw.count(b'"') % 2 and _swallowed(found):
        raise SpecError(
            f"{name}: a quotation mark is never closed, so that rows after it are read as one cell"
        )
    if _has_blank_lines(whole):
        return found, _csv_rows(whole, source.delimiter, found)
    return found, _numbered(found, 2)


def _has_blank_lines(text: bytes) -> bool:
    """Whether any stands before the last row: only those move the numbers of rows."""
    text = text.rstrip(b"\r\n")
    return text.startswith((b"\n", b"\r")) or b"\n\n" in text or b"\n\r" in text


def _csv_rows(text: bytes, delimiter: str, found: pa.Table) -> Ints:
    """Numbers of the rows below the header as a spreadsheet shows them: a blank line is one, a cell of two lines is not two.

    Without blank lines counted where this plainer reader does not see the same rows (a cell too long for it, a stray quote).
    """
    lines = io.StringIO(text.decode("utf-8"), newline="")
    try:
        kept = [at for at, row in enumerate(csv.reader(lines, delimiter=delimiter), 1) if row]
    except csv.Error:
        kept = []
    return np.array(kept[1:]) if len(kept) == found.num_rows + 1 else _numbered(found, 2)


def _swallowed(found: pa.Table) -> bool:
    """Whether a cell of the last row runs over several lines."""
    last = found.slice(max(found.num_rows - 1, 0))
    return any(pc.any(pc.match_substring(c.cast(pa.string()), "\n")).as_py() for c in last.columns)


def _from_warehouse(source: Source, warehouse: Warehouse | None) -> Table:
    if warehouse is None or source.table is None:
        raise SpecError("there is no warehouse here; name a file")
    tables = warehouse.tables()
    if source.table not in tables:
        raise SpecError(f"the warehouse has no table {source.table!r}; it has: {', '.join(sorted(tables))}")
    table = tables[source.table]
    statement = sa.select(*(c.label(c.name) for c in table.c))
    for column, value in source.where:
        if column not in table.c:
            raise SpecError(
                f"where: {source.table} has no column {column!r}; it has: {', '.join(table.c.keys())}"
            )
        statement = statement.where(table.c[column] == value)
    with warehouse.session((source.table,)) as session:
        found = session.columns(cast("sa.Select[tuple[object, ...]]", statement))
    held = pa.table({k: pa.array(v, from_pandas=True) for k, v in found.items()})
    if not held.num_rows:
        raise SpecError(f"warehouse table {source.table}: no rows match {dict(source.where)}")
    order = held.sort_by([(n, "ascending") for n in held.column_names])
    digest = hashlib.sha256()
    for column in order.columns:
        digest.update("\x1f".join(map(str, column.to_pylist())).encode())
    return Table(order, source.name, ".", _numbered(order, 1), digest.hexdigest())
