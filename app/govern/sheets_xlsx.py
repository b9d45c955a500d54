"""Registers as XLSX workbooks: written with every cell as text or a number, read with limits and without formulas.

A workbook is a ZIP of XML, and both can be made to explode: every part is first inflated against a budget and searched
for a document type, before any reader sees it. openpyxl then streams the rows of one sheet.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import openpyxl  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]

from app.govern.model import Row
from app.govern.sheets import MOST_LINES, Numbered, Plan, SheetFault, exported, plan_lines, refused
from data.fields import Kind, Register

MOST_BYTES = 5 * 1024 * 1024  # of the file
MOST_INFLATED = 60 * 1024 * 1024  # of all its parts
MOST_PARTS = 200
MOST_COLUMNS = 200
_CHUNK = 1 << 16
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MIME = _TYPE


class WorkbookError(ValueError):
    """A file that is no workbook, or more than one may be."""


def export_xlsx(register: Register, rows: Iterable[Row]) -> bytes:
    """All fields of rows on one sheet, as the CSV has them; numbers are numbers, everything else is text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(register.name[:31])
    numbers = {"version", *(f.name for f in register.fields if f.kind in (Kind.INT, Kind.NUMBER))}
    lines = exported(register, rows)
    header = next(lines)
    sheet.freeze_panes = "B2"
    sheet.append([_cell(sheet, name, bold=True) for name in header])
    for line in lines:
        pairs = zip(header, line, strict=True)
        sheet.append([_number(t) if n in numbers and t else _cell(sheet, t) for n, t in pairs])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, text: str, *, bold: bool = False) -> Any:  # noqa: ANN401 (openpyxl is untyped)
    """A cell of text, whatever its first character: it is never a formula."""
    cell = WriteOnlyCell(sheet, value=None)
    cell.value = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:32_767]
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def plan_xlsx(register: Register, content: bytes, held: Mapping[str, Row]) -> Plan:
    """The commands that bring a register to what a workbook says; faults name the sheet's row and column."""
    try:
        numbered, faults = _lines(content)
    except WorkbookError as error:
        return refused(str(error))
    return Plan((), 0, tuple(faults)) if faults else plan_lines(register, numbered, held)


def _lines(content: bytes) -> tuple[Numbered, list[SheetFault]]:
    _weigh(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except Exception as error:
        what = type(error).__name__
        raise WorkbookError(f"The file is no workbook that can be read ({what}); save it again.") from error
    try:
        if len(book.worksheets) != 1:
            raise WorkbookError(f"The workbook has {len(book.worksheets)} sheets; keep the one to bring in.")
        book.worksheets[0].reset_dimensions()  # else rows behind a dimension that lies are dropped in silence
        return _texts(book.worksheets[0])
    finally:
        book.close()


def _texts(sheet: Any) -> tuple[Numbered, list[SheetFault]]:  # noqa: ANN401
    """Cells as the text a CSV would hold, and a fault for each formula and each error value."""
    numbered: Numbered = []
    faults: list[SheetFault] = []
    try:
        for cells in sheet.iter_rows():
            line = len(numbered) + 1
            if line > MOST_LINES:
                raise WorkbookError(f"The sheet has more than {MOST_LINES:,} rows; split it.")
            if len(cells) > MOST_COLUMNS:
                raise WorkbookError(
                    f"The sheet has more than {MOST_COLUMNS} columns; keep those of the register."
                )
            faults += [_fault(c, line, i) for i, c in enumerate(cells, start=1) if c.data_type in ("f", "e")]
            numbered.append((line, [_text(c.value) for c in cells]))
    except (ValueError, KeyError, TypeError, OverflowError, SyntaxError) as error:
        if isinstance(error, WorkbookError):
            raise
        raise WorkbookError(f"The sheet cannot be read after row {len(numbered)}: {error}.") from error
    return [(line, _trimmed(cells, numbered)) for line, cells in numbered if any(cells)], faults


def _trimmed(cells: list[str], numbered: Numbered) -> list[str]:
    """As many cells as the header has: spreadsheets hand over empty ones behind it."""
    header = next((c for _, c in numbered if any(c)), [])
    width = max((i for i, name in enumerate(header, start=1) if name), default=0)
    kept = [*cells[:width], *[""] * (width - len(cells))]
    return kept + [c for c in cells[width:] if c]


def _fault(cell: Any, line: int, column: int) -> SheetFault:  # noqa: ANN401
    name = openpyxl.utils.get_column_letter(column)
    what = "a formula" if cell.data_type == "f" else "an error"
    return SheetFault(line, name, str(cell.value)[:80], f"This is {what}; write the value itself.")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _weigh(content: bytes) -> None:
    """Inflate every part against the budget, whatever the directory claims. Raises WorkbookError."""
    if len(content) > MOST_BYTES:
        raise WorkbookError(f"The file is larger than {MOST_BYTES // 1024**2} MB; split it.")
    left = MOST_INFLATED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            parts = pack.infolist()
            if len(parts) > MOST_PARTS:
                raise WorkbookError(f"The file has {len(parts)} parts; a workbook of one sheet has a dozen.")
            for part in parts:
                left = _inflated(pack, part, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise WorkbookError(f"The file is no sound workbook: {error}; save it again as XLSX.") from error


def _inflated(pack: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """What is left of the budget after one part."""
    tail = b""
    with pack.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise WorkbookError(f"The file unpacks to more than {MOST_INFLATED // 1024**2} MB; split it.")
            if b"<!DOCTYPE" in (seen := (tail + chunk).upper().replace(b"\x00", b"")) or b"<!ENTITY" in seen:
                raise WorkbookError(
                    "The file declares a document type, which no workbook does; it is not opened."
                )
            tail = chunk[-32:]
    return left
