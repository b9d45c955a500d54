"""Workbooks as rows of cells, in the child process only.

A workbook is a ZIP of XML. Before any of it is parsed every part is unpacked through a counter: total size, ratio, number
of parts, CRC, names and overlaps. What is left is read by openpyxl with defusedxml.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path
from typing import cast

from app.govern.baselines.dialect import Dialect
from app.govern.baselines.reading import (
    MOST_COLUMNS,
    MOST_RATIO,
    RATIO_FROM,
    Cell,
    Limits,
    Refused,
    Rows,
    looks,
)

MOST_PARTS = 1_000
_CHUNK = 1 << 18
_ENTITIES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_MERGED = re.compile(rb"<(\w+:)?mergeCell\s")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_UNWANTED = (
    ("vbaproject", "macros"), ("xl/externallinks/", "external_links"), ("xl/embeddings/", "embedded"),
    ("xl/activex/", "embedded"), ("xl/macrosheets/", "macros"),
)  # fmt: skip


def workbook_rows(path: Path, dialect: Dialect, limits: Limits) -> Rows:
    """Rows of the declared sheet, of the sheet `baseline`, or of the only one. Raises Refused."""
    _guard(path, limits)
    yield from _read(path, dialect)


def _guard(path: Path, limits: Limits) -> None:
    """Everything that can be known without parsing XML. Raises Refused."""
    with path.open("rb") as file:
        start = file.read(4096)
    what = looks(start)
    if what == "ole":
        raise Refused(
            "encrypted" if "EncryptedPackage".encode("utf-16-le") in path.read_bytes() else "old_excel"
        )
    if what != "zip":
        raise Refused("disguised", what or "text or other bytes")
    try:
        with zipfile.ZipFile(path) as pack:
            parts = pack.infolist()
            _names(parts)
            _apart(parts, path.stat().st_size)
            _unpack(pack, parts, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, UnicodeError) as error:
        raise Refused("not_a_workbook", str(error)[:200]) from error


def _names(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS:
        raise Refused("expands", f"{len(parts):,} parts")
    names = [p.filename for p in parts]
    if len({n.lower() for n in names}) < len(names):
        raise Refused("not_a_workbook", "a part is there twice")
    for part in parts:
        name = part.filename.lower()
        outside = name.startswith(("/", "\\")) or ".." in name.split("/") or "\\" in name or ":" in name
        link = stat.S_ISLNK(part.external_attr >> 16)
        if outside or link:
            raise Refused("not_a_workbook", f"the part {part.filename[:60]!r} leads out of the file")
        if part.flag_bits & 1:
            raise Refused("encrypted", part.filename[:60])
        for word, code in _UNWANTED:
            if word in name:
                raise Refused(code, part.filename[:60])
    if "[content_types].xml" not in {n.lower() for n in names}:
        raise Refused("not_a_workbook", "a ZIP archive without the parts of a workbook")


def _apart(parts: list[zipfile.ZipInfo], size: int) -> None:
    """No two parts share bytes, and none reaches beyond the file: a directory that says otherwise lies."""
    end = 0
    for part in sorted(parts, key=lambda p: p.header_offset):
        if part.header_offset < end:
            raise Refused("expands", f"the part {part.filename[:60]!r} overlaps another")
        end = part.header_offset + 30 + len(part.filename.encode()) + part.compress_size
        if end > size:
            raise Refused("not_a_workbook", f"the part {part.filename[:60]!r} is cut off")


def _unpack(pack: zipfile.ZipFile, parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Unpack every part through a counter; the last read of each checks its CRC."""
    total = 0
    for part in parts:
        seen, tail = 0, b""
        sheet = _SHEET.fullmatch(part.filename)
        with pack.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                seen += len(chunk)
                total += len(chunk)
                if total > limits.unpacked or (seen > RATIO_FROM and seen > part.compress_size * MOST_RATIO):
                    raise Refused("expands", f"{part.filename[:60]} unpacks to more than {seen:,} bytes")
                _look(part.filename, tail + chunk, sheet=sheet is not None)
                tail = chunk[-32:]


def _look(name: str, chunk: bytes, *, sheet: bool) -> None:
    if name.endswith((".xml", ".rels")) and _ENTITIES.search(chunk):
        raise Refused("entities", name[:60])
    if sheet and _MERGED.search(chunk):
        raise Refused("merged", name[:60])
    if name == "[Content_Types].xml" and b"macroEnabled" in chunk:
        raise Refused("macros", name)


def _read(path: Path, dialect: Dialect) -> Rows:
    import openpyxl  # type: ignore[import-untyped]
    from openpyxl.xml import DEFUSEDXML  # type: ignore[import-untyped]

    if not DEFUSEDXML:
        raise Refused("not_a_workbook", "defusedxml is not installed here: workbooks are not read without it")
    # Opened as a stream: openpyxl judges a path by its ending, and what is kept here has none.
    try:
        values = openpyxl.load_workbook(path.open("rb"), read_only=True, data_only=True, keep_links=False)
        formulas = openpyxl.load_workbook(path.open("rb"), read_only=True, data_only=False, keep_links=False)
        name = _sheet(values.sheetnames, dialect.sheet)
        held, written = values[name], formulas[name]
        for one in (held, written):
            one.reset_dimensions()
        pairs = zip(held.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=True)
        for at, (cells, source) in enumerate(pairs, start=1):
            row = _trimmed(cells)
            _has_values(row, source, at)
            _narrow(row, at)
            if row:
                yield at, row
    except Refused:
        raise
    except MemoryError:
        raise
    except Exception as error:  # openpyxl raises whatever a broken part leads it to
        raise Refused("not_a_workbook", f"{type(error).__name__}: {str(error)[:160]}") from error


def _sheet(names: list[str], declared: str) -> str:
    if declared and declared in names:
        return declared
    if not declared and "baseline" in names:
        return "baseline"
    if not declared and len(names) == 1:
        return names[0]
    listed = ", ".join(names[:10]) or "none"
    raise Refused("sheet", f"there are: {listed}")


def _trimmed(cells: tuple[object, ...]) -> list[Cell]:
    row = list(cells)
    while row and row[-1] in (None, ""):
        row.pop()
    return cast("list[Cell]", row)


def _narrow(row: list[Cell], at: int) -> None:
    if len(row) > MOST_COLUMNS:
        raise Refused("too_many_columns", f"row {at}: {len(row):,}")


def _has_values(row: list[Cell], source: tuple[object, ...], at: int) -> None:
    """Raise Refused for a formula that was never computed: its cell would read as empty."""
    for place, cell in enumerate(source):
        formula = (isinstance(cell, str) and cell.startswith("=")) or type(cell).__name__ in (
            "ArrayFormula",
            "DataTableFormula",
        )
        if formula and (place >= len(row) or row[place] in (None, "")):
            raise Refused("no_value", f"row {at}, column {place + 1}")
