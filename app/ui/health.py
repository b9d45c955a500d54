"""The Data health page's parts."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app.measure import words
from app.measure.health import Health, LoadHealth
from app.ui import tables, tiles
from app.ui.marks import text

MOST_LOADS = 50


def lead(found: Health, now: dt.datetime) -> None:
    """What a reader must know before trusting a number."""
    loads = [r.as_of for r in found.rollups if r.as_of is not None]
    newest = max(loads, default=None)
    sentence = (
        f"Numbers reflect every row loaded until {words.moment(newest)}."
        if newest
        else "Nothing is computed yet."
    )
    detail = f"The newest row came {words.ago(newest, now)}." if newest else "Load data, then run refresh."
    if found.behind:
        sentence = "Some numbers do not reflect the newest rows yet."
        detail = f"Run refresh: {words.listed(tuple(r.title for r in found.behind), 4)}."
    refused = len(found.refused)
    extra = f" {words.plural(refused, 'file')} had rows refused; the reasons are below." if refused else ""
    with st.container(border=True):
        st.html(f'<p class="tl-lead">{text(sentence)}</p><p class="tl-sub">{text(detail + extra)}</p>')


def warehouse(found: Health) -> None:
    """One row a table that holds something; the empty ones by name."""
    tiles.heading("Warehouse tables")
    if found.embedded and not found.tables:
        tiles.empty(
            "The warehouse is empty", "Load a file with: python -m app load table:predictions FILE.csv"
        )
        return
    right = tables.Column
    columns = (
        right("Table"),
        right("What it holds"),
        right("Rows", right=True),
        right("Days"),
        right("Last load", right=True),
    )
    rows = [
        (
            t.name,
            t.comment,
            "" if t.rows is None else words.count(t.rows),
            _days(t.first, t.last),
            _moment(t.loaded),
        )
        for t in found.tables
    ]
    tables.show(tables.plain("Warehouse tables", columns, rows))
    if found.empty:
        st.html(f'<p class="tl-sub">Empty: {text(", ".join(found.empty))}.</p>')


def rollups(found: Health) -> None:
    """How far each rollup reflects the warehouse."""
    tiles.heading(
        "Rollups", "What the numbers are computed from. A refresh computes the days whose rows changed."
    )
    make = tables.Column
    columns = (
        make("Rollup"), make("State"), make("Reflects loads to", right=True), make("Last refresh", right=True),
        make("Days done then", right=True), make("Took", right=True), make("Cells", right=True),
    )  # fmt: skip
    rows = [
        (
            r.title, "behind: run refresh" if r.behind else "up to date" if r.refreshed else "nothing to compute",
            _moment(r.as_of), _moment(r.refreshed), words.count(r.days), words.duration(r.seconds) if r.seconds else "",
            words.count(r.rows),
        )
        for r in found.rollups
    ]  # fmt: skip
    tables.show(tables.plain("Rollups", columns, rows))


def watermarks(found: Health) -> None:
    """How far each source says it is complete."""
    tiles.heading("Watermarks", "How far each source says it is complete.")
    if not found.watermarks:
        tiles.empty("No source declares how far it is complete", "Load table:data_watermarks to see it here.")
        return
    columns = (tables.Column("Source"), tables.Column("Complete through", right=True))
    rows = [(w.source, words.moment(w.complete_through)) for w in found.watermarks]
    tables.show(tables.plain("Watermarks", columns, rows))


def loads(found: Health) -> None:
    """The newest files, and for refused rows what to repair."""
    tiles.heading("Files handed to the loader")
    if not found.loads:
        tiles.empty("No file has been loaded", "Loaded and refused files appear here with their reasons.")
        return
    for one in found.refused[:MOST_LOADS]:
        _refused(one)
    make = tables.Column
    columns = (make("File"), make("Into"), make("Outcome"), make("When", right=True), make("Read", right=True),
               make("New", right=True), make("Known", right=True), make("Rejected", right=True))  # fmt: skip
    rows = [
        (
            x.load.file.rsplit("/", 1)[-1], x.load.name, x.load.outcome, words.moment(x.at), words.count(x.load.rows_read),
            words.count(x.load.rows_new), words.count(x.load.rows_known), words.count(x.load.rows_rejected),
        )
        for x in found.loads[:MOST_LOADS]
    ]  # fmt: skip
    tables.show(tables.plain("Files handed to the loader", columns, rows))


def _refused(one: LoadHealth) -> None:
    load = one.load
    name = load.file.rsplit("/", 1)[-1]
    lines = "".join(
        f"<li>{text(r.rule)}{text(f' in {r.column}') if r.column else ''}, {words.count(r.count)} "
        f"{'time' if r.count == 1 else 'times'}. {text(r.what_to_do)}</li>"
        for r in one.reasons
    )
    said = f"<ul>{lines}</ul>" if lines else ""
    where = f"Every bad row: {text(one.report)}" if one.report else "Its report file is gone."
    st.html(
        f'<div class="tl-warn"><b>{text(name)}</b> into {text(load.name)}: {text(load.outcome)}, '
        f"{words.count(load.rows_rejected)} of {words.count(load.rows_read)} rows with problems.{said}<span>{where}</span></div>"
    )


def _days(first: dt.date | None, last: dt.date | None) -> str:
    return words.days_between(first, last) if first and last else "undated"


def _moment(time: dt.datetime | None) -> str:
    return words.moment(time) if time else words.DASH
