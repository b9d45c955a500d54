"""What a baseline's file looks like, from its metric and grain: columns, template and data dictionary. Never hand-written."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property

from app.govern.baselines.dialect import Dialect, DialectError
from data.registers.baselines import GRAINS

VERSION = "1"
TOTALS = "share"  # of this unit a value is never given: it follows from its counts


@dataclass(frozen=True)
class Column:
    """A column of the file. `kind`: period, unit, number or whole. `low`, `high` bound numbers, both included."""

    name: str
    kind: str
    help: str
    example: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Layout:
    """The columns of a metric's baseline at a grain, all of them required; a note is free."""

    metric: str
    unit: str
    grain: str
    columns: tuple[Column, ...]

    @property
    def version(self) -> str:
        return f"{VERSION} {self.metric} {self.grain}"

    @cached_property
    def period(self) -> str:
        """hour, day, week, month or quarter."""
        return self.grain.removesuffix("-unit")

    @cached_property
    def by_unit(self) -> bool:
        return self.grain.endswith("-unit")

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @cached_property
    def shared(self) -> bool:
        """Whether rows carry a numerator and a denominator instead of a value and its n."""
        return "denominator" in self.names


_EXAMPLES = {
    "hour": ("2026-01-05 09:00", "2026-01-05 10:00"),
    "day": ("2026-01-05", "2026-01-06"),
    "week": ("2026-01-05", "2026-01-12"),
    "month": ("2026-01-01", "2026-02-01"),
    "quarter": ("2026-01-01", "2026-04-01"),
}
_PERIODS = {
    "hour": "The hour's beginning, in the declared zone or with an offset.",
    "day": "The day, in the declared zone.",
    "week": "The week's Monday, or the ISO week as 2026-W02.",
    "month": "The month's first day, or the month as 2026-01.",
    "quarter": "The quarter's first day, or the quarter as 2026-Q1.",
}


def layout_of(metric: str, unit: str, grain: str) -> Layout:
    """The layout for a metric of this unit (`Unit.value`). Raises DialectError for a grain that is none."""
    if grain not in GRAINS:
        raise DialectError(f"grain: {grain!r} is not one of {', '.join(GRAINS)}")
    period = grain.removesuffix("-unit")
    columns = [Column("period", "period", _PERIODS[period], _EXAMPLES[period][0])]
    if grain.endswith("-unit"):
        columns.append(
            Column("unit", "unit", "Whose figures these are: a store, a team, a person's number.", "north")
        )
    return Layout(metric, unit, grain, (*columns, *_measures(unit)))


def _measures(unit: str) -> tuple[Column, ...]:
    """A share is counted, a count is whole, everything else is a value with the number of cases behind it."""
    if unit == TOTALS:
        return (
            Column("numerator", "number", "Cases that count, at most the denominator.", "120", 0.0),
            Column("denominator", "number", "All cases, above 0.", "1000", 0.0),
        )
    if unit == "count":
        return (Column("value", "whole", "How many.", "120", 0.0),)
    low = 0.0 if unit in ("seconds", "p value") else None
    high = 1.0 if unit == "p value" else None
    return (
        Column("value", "number", f"In the metric's unit ({unit}).", "12.5", low, high),
        Column("n", "whole", "Cases behind the value.", "1000", 1.0),
    )


def template_csv(layout: Layout, dialect: Dialect) -> str:
    """Header and two example rows, in the declared dialect."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.delimiter, lineterminator="\r\n")
    writer.writerow(layout.names)
    for at in range(2):
        writer.writerow(_example(layout, dialect, at))
    return out.getvalue()


def _example(layout: Layout, dialect: Dialect, at: int) -> list[str]:
    cells = []
    for column in layout.columns:
        if column.kind == "period":
            cells.append(dialect.told(_EXAMPLES[layout.period][at]))
        else:
            cells.append(column.example if dialect.decimal == "." else column.example.replace(".", ","))
    return cells


def template_xlsx(layout: Layout, dialect: Dialect) -> bytes:
    """The same as a workbook: a sheet to fill in, and a sheet that says what each column means."""
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "baseline"
    sheet.append(layout.names)
    for at in range(2):
        sheet.append(_example(layout, dialect, at))
    told = book.create_sheet("dictionary")
    told.append(("column", "kind", "meaning", "example"))
    for column in layout.columns:
        told.append((column.name, column.kind, column.help, column.example))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def dictionary(layout: Layout, dialect: Dialect) -> tuple[tuple[str, str, str], ...]:
    """Column, what it means, an example in the declared dialect."""
    return tuple(
        (c.name, c.help, e) for c, e in zip(layout.columns, _example(layout, dialect, 0), strict=True)
    )
