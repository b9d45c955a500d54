"""Tables as plain markup: numbers right-aligned, units in the cells' header words, first column kept in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.measure import words
from app.measure.judged import Judged, bucket_of
from app.measure.takeaway import as_csv, as_xlsx, file_name
from app.ui import marks
from app.ui.marks import label, text
from metrics.core.metric import Metric, Reading

MOST_ROWS = 200  # drawn; the whole table is one click away as a file
FEWEST_ROWS = 3  # of a table worth taking away
TURN = "_tables"  # how many tables this run has drawn
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Column:
    """A column's heading, and whether it holds numbers."""

    name: str
    right: bool = False


@dataclass(frozen=True)
class Table:
    """Cells are markup already made safe; `alt` says what the table is."""

    alt: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


def show(table: Table) -> None:
    """Draw a table; it scrolls sideways on a narrow screen."""
    head = "".join(_head(c) for c in table.columns)
    body = "".join(_row(table.columns, row) for row in table.rows[:MOST_ROWS])
    more = len(table.rows) - MOST_ROWS
    note = f'<p class="tl-sub">{words.count(more)} further rows are not drawn</p>' if more > 0 else ""
    st.html(
        f'<div class="tl-scroll" role="region" tabindex="0" aria-label="{text(table.alt)}"><table class="tl-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )
    if len(table.rows) >= FEWEST_ROWS:
        _away(table)


def _away(table: Table) -> None:
    """The whole table as a file, made when somebody asks for it."""
    names = tuple(c.name for c in table.columns)
    name = file_name(table.alt)
    turn = st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    with st.container(horizontal=True, horizontal_alignment="right", gap="small", key=f"away-{turn}"):
        st.download_button(
            "CSV", lambda: as_csv(names, table.rows), f"{name}.csv", "text/csv", key=f"table-csv-{turn}", type="tertiary",
            on_click="ignore", help=f"{label(table.alt)}, whole, as CSV",
        )  # fmt: skip
        st.download_button(
            "XLSX", lambda: as_xlsx(table.alt, names, table.rows), f"{name}.xlsx", XLSX, key=f"table-xlsx-{turn}",
            type="tertiary", on_click="ignore", help=f"{label(table.alt)}, whole, as XLSX",
        )  # fmt: skip


def begin() -> None:
    """A new run of a page: its tables are counted from one, so that their buttons keep their names."""
    st.session_state[TURN] = 0


def _head(column: Column) -> str:
    """A heading; a column that needs none has an empty cell there, not an empty heading."""
    return f"<th{_side(column)}>{text(column.name)}</th>" if column.name else "<td></td>"


def _side(column: Column) -> str:
    return ' class="tl-right"' if column.right else ""


def _row(columns: tuple[Column, ...], row: tuple[str, ...]) -> str:
    return (
        "<tr>" + "".join(f"<td{_side(c)}>{cell}</td>" for c, cell in zip(columns, row, strict=True)) + "</tr>"
    )


def number_cells(metric: Metric[object], reading: Reading) -> tuple[str, str, str]:
    """Value, interval and n of a reading; the reason stands where the interval would."""
    shown = words.shown(metric, reading)
    return text(shown.value), text(shown.interval or reading.reason or ""), text(shown.n)


NUMBERS = (Column("Value", right=True), Column("95 % interval", right=True), Column("n", right=True))


def history(metric: Metric[object], trend: Sequence[Reading]) -> Table:
    """A trend, newest first."""
    rows = tuple((text(bucket_of(r) or ""), *number_cells(metric, r)) for r in reversed(trend))
    return Table(f"History of {metric.title}", (Column("From"), *NUMBERS), rows)


def breakdown(found: Sequence[Judged]) -> Table:
    """One row a group, with its verdict where a target speaks of it."""
    rows = tuple(
        (
            text(words.group(j.reading.by)),
            *number_cells(j.metric, j.reading),
            marks.badge(j) if j.has_target else "",
        )
        for j in found
    )
    return Table("Breakdown", (Column("Group"), *NUMBERS, Column("")), rows)


def plain(alt: str, columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> Table:
    """A table of plain values."""
    return Table(alt, tuple(columns), tuple(tuple(text(cell) for cell in row) for row in rows))
