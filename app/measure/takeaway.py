"""Any table as a file, and what a file is called: the cells as they are read on the screen, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from html import unescape

from app.govern.sheets import guarded

_BREAK, _TAG, _BLANK = re.compile(r"<br\s*/?>|</p>|</li>"), re.compile(r"<[^>]*>"), re.compile(r"\s+")
_ISOLATES = re.compile(
    "[\u2068\u2069]"
)  # keep words from right to left in their place on the screen; a file needs none
_NARROW = 60  # characters of the widest column of a sheet


def plain(markup: str) -> str:
    """A cell of markup as the words a reader sees, in one line, never a formula."""
    words = _ISOLATES.sub("", unescape(_TAG.sub("", _BREAK.sub("; ", markup))))
    return guarded(_BLANK.sub(" ", words).strip().rstrip(";").strip())


def file_name(said: str) -> str:
    """What a file is called that holds what is said: words and hyphens, without its ending."""
    return (
        "-".join("".join(c if c.isalnum() else " " for c in said.lower()).split())[:60].strip("-") or "table"
    )


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """UTF-8 with a mark that spreadsheets know it by."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([plain(c) for c in columns])
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """One sheet, its head frozen, every cell text as it is shown."""
    from openpyxl import Workbook  # type: ignore[import-untyped]  # a third of a second that only a download pays

    book = Workbook(write_only=False)
    sheet = book.active
    assert sheet is not None
    sheet.title = re.sub(r"[\[\]:*?/\\']", " ", title)[:31].strip() or "Table"
    sheet.append([plain(c) for c in columns])
    for row in rows:
        sheet.append([plain(cell) for cell in row])
    sheet.freeze_panes = "B2"
    for cells in sheet.columns:
        widest = max(len(str(c.value or "")) for c in cells)
        sheet.column_dimensions[cells[0].column_letter].width = min(max(widest + 2, 8), _NARROW)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
