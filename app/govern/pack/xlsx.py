"""The pack as a workbook: numbers as numbers, everything that people wrote as text that no program takes for a formula."""

from __future__ import annotations

import io
from typing import Any

import openpyxl  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from app.govern.pack.model import Figure
from app.govern.pack.snapshot import Snapshot
from app.govern.pack.texts import Listing, lists, moment, safe

Cell = str | float | int | None
LONGEST = 32_767  # characters that a cell holds
LIKE_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
FIGURES = (
    "Dimension", "Measure", "Value", "Low", "High", "Unit", "n", "Shown as", "Interval", "Verdict", "Why", "Target",
    "Threshold", "Change", "Answers for it", "Freshness", "Key", "Breakdown", "Method", "Data as of", "Version", "Snapshot",
)  # fmt: skip
TRENDS = ("Measure", "Key", "First day", "Value", "Low", "High", "Target", "Snapshot")


def xlsx(snapshot: Snapshot) -> tuple[bytes, int]:
    """The workbook and its number of sheets."""
    book = openpyxl.Workbook(write_only=True)
    pack = snapshot.pack
    made = pack.made.replace(tzinfo=None)
    book.properties.creator, book.properties.title = "Throughline", safe(pack.title)
    book.properties.created = book.properties.modified = made
    _sheet(book, "Summary", ("What", "Text"), _summary(snapshot), (22, 120))
    figures = [_figure(f, snapshot.short) for f in pack.figures]
    _sheet(book, "Scorecard", FIGURES, figures, (16, 40, *(14,) * 20))
    points = [row for f in pack.figures for row in _trend(f, snapshot.short)]
    _sheet(book, "Trends", TRENDS, points, (40, 26, *(14,) * 6))
    for one in lists(pack):
        _listing(book, one, snapshot.short)
    _sheet(book, "Proof", ("What", "Text"), _proof(snapshot), (22, 120))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), len(book.sheetnames)


def _summary(snapshot: Snapshot) -> list[tuple[Cell, ...]]:
    pack = snapshot.pack
    met, missed, unsure, unmeasured = pack.targets
    return [
        ("Title", pack.title), ("Made", moment(pack.made)), ("Figures of", pack.scope), ("Snapshot", snapshot.id),
        ("What matters most", pack.sentence), ("", pack.detail),
        ("Targets met", met), ("Targets not met", missed), ("Inconclusive", unsure), ("Not measured", unmeasured),
        *(("Needs attention", text) for text in pack.needs), *(("Moved", text) for text in pack.changes),
        *((f"{name} left out", count) for name, count in pack.left_out),
    ]  # fmt: skip


def _figure(f: Figure, short: str) -> tuple[Cell, ...]:
    r = f.reading
    by = "; ".join(f"{name}={value if value is not None else 'not recorded'}" for name, value in r.by)
    as_of = "" if r.as_of is None else r.as_of.isoformat()
    return (
        f.dimension, f.label, r.value, r.low, r.high, r.unit.value, r.n, f.value if r.value is not None else r.reason,
        f.interval, f.state, f.why, f.aim, f.threshold, f.moved, f.owner, f.fresh, r.key, by, r.method, as_of, r.version, short,
    )  # fmt: skip


def _trend(f: Figure, short: str) -> list[tuple[Cell, ...]]:
    return [(f.label, f.reading.key, p.day, p.value, p.low, p.high, f.threshold, short) for p in f.trend]


def _listing(book: Any, one: Listing, short: str) -> None:  # noqa: ANN401 (openpyxl is untyped)
    rows: list[tuple[Cell, ...]] = [(*row, short) for row in one.rows]
    name = one.title if len(one.title) <= 31 else one.name.capitalize()
    _sheet(book, name, (*one.columns, "Snapshot"), rows, (*(max(12, s) for s in one.shares), 14))


def _proof(snapshot: Snapshot) -> list[tuple[Cell, ...]]:
    pack = snapshot.pack
    return [
        ("Snapshot", snapshot.id), ("Code that measured", pack.code), ("Ledger entries", pack.chain.entries),
        ("Ledger head", pack.chain.head), ("Key of the anchor", pack.chain.key), ("Anchor", pack.chain.anchor),
    ]  # fmt: skip


def _sheet(
    book: Any,  # noqa: ANN401
    name: str,
    header: tuple[str, ...],
    rows: list[tuple[Cell, ...]],
    widths: tuple[int, ...],
) -> None:
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "B2"
    for at, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    sheet.append([_text(sheet, title, bold=True) for title in header])
    for row in rows:
        sheet.append([_text(sheet, value) if isinstance(value, str) else value for value in row])


def _text(sheet: Any, text: str, *, bold: bool = False) -> Any:  # noqa: ANN401
    """A cell of text whatever it begins with; one that looks like a formula stays text when somebody edits it."""
    cell = WriteOnlyCell(sheet, value=None)
    cell.value = safe(text)[:LONGEST]
    cell.data_type = "s"
    cell.alignment = Alignment(vertical="top", wrap_text=len(text) > 40)
    if text.startswith(LIKE_FORMULA):
        cell.quotePrefix = True
    if bold:
        cell.font = Font(bold=True)
    return cell
