"""The page of baselines, drawn: the list, and bringing in a file step by step."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.govern.baselines.dialect import DELIMITERS, ENCODINGS, Dialect, DialectError
from app.govern.baselines.layout import dictionary, template_csv, template_xlsx
from app.govern.baselines.store import Request, Series, layout_for
from app.govern.model import CommandError
from app.govern.views import Room
from app.govern.views_baselines import BaselineBoard, BaselineLine, Look, bring, look, request_of, stash
from app.measure import words
from app.runtime import Runtime
from app.ui import forms, marks, registers, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from data.registers import REGISTERS
from data.registers.baselines import DATE_ORDERS, DECIMALS, GRAINS
from metrics.core.verdict import State

SLOT, HELD, TURN = "base/new", "base/held", "base/turn"
_STATES = {
    "in force": State.MET,
    "submitted": State.INCONCLUSIVE,
    "draft": State.NO_DATA,
    "rejected": State.NOT_MET,
}
_MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def table(board: BaselineBoard) -> None:
    """One line a baseline, those in force first."""
    if not board.lines:
        return
    columns = (
        Column("Baseline"), Column("About"), Column("State"), Column("Value", right=True), Column("Covers"),
        Column("By"), Column("Relied on by"),
    )  # fmt: skip
    tables.show(Table("Baselines", columns, tuple(_line(line) for line in board.lines)))


def _line(one: BaselineLine) -> tuple[str, ...]:
    state = _STATES.get(one.state, State.NOT_APPLICABLE)
    badge = f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{text(one.state)}</span>'
    name = f"<b>{text(one.title)}</b><br>{text(one.metric)}"
    return name, text(one.about), badge, text(one.value), text(one.span), text(one.who), text(one.used_by)


def records(room: Room) -> None:
    """One baseline in full: its facts, its history, and the steps the reader may take."""
    titles = {r.record_id: r.text("title") for r in room.rows("baselines")}
    if titles:
        registers.record(room, REGISTERS["baselines"], titles)


def entry(room: Room, board: BaselineBoard, runtime: Runtime) -> None:
    """Bring in a file: what it is about, how it is written, the template, the file, what it holds, record it."""
    tiles.heading(
        "Bring in a baseline",
        "Nothing is recorded before you have seen what the file holds and would change.",
    )
    forms.answer(SLOT)
    if not board.may_bring:
        st.html(
            '<p class="tl-note">Analysts and owners bring baselines in; you may look at them and decide on them.</p>'
        )
        return
    series, declared = _about(board), _dialect()
    try:
        dialect = Dialect.declared(*declared)
    except DialectError as error:
        st.html(f'<p class="tl-warn" role="alert">{text(error)}</p>')
        return
    _template(series, dialect)
    _file(runtime)
    held = st.session_state.get(HELD)
    if isinstance(held, tuple):
        title = st.text_input(
            "Title", key="base/title", max_chars=200, placeholder="As it should stand in the list"
        )
        note = st.text_input("Where do the figures come from", key="base/note", max_chars=500)
        _show(room, runtime, request_of(Path(held[0]), held[1], series, declared, title, note))


def _about(board: BaselineBoard) -> Series:
    names, initiatives = dict(board.metrics), {"": "None", **dict(board.initiatives)}
    one, two, three = st.columns([3, 2, 3])
    metric = one.selectbox("Metric", list(names), format_func=lambda k: names.get(k, k), key="base/metric")
    grain = two.selectbox("One row for each", GRAINS, index=GRAINS.index("month"), key="base/grain")
    initiative = three.selectbox(
        "Initiative", list(initiatives), format_func=lambda k: initiatives.get(k, k), key="base/initiative"
    )
    scope = st.text_input("Scope", key="base/scope", placeholder="Such as model_id=churn-1; empty means all")
    parts = tuple(w.strip() for w in scope.split(";") if w.strip())
    return Series(metric, grain, parts, initiative)


def _dialect() -> tuple[str, str, str, str, str, str]:
    """Declared, never guessed: the same bytes mean different numbers in different offices."""
    with st.container(horizontal=True):
        decimal = st.selectbox("Decimal mark", DECIMALS, key="base/decimal")
        delimiter = st.selectbox(
            "Columns parted by", DELIMITERS, format_func=lambda d: _MARKS[d], key="base/delimiter"
        )
        order = st.selectbox("Date order", DATE_ORDERS, key="base/dates")
        zone = st.text_input("Time zone", "UTC", key="base/zone", help="Such as Europe/Berlin.")
        encoding = st.selectbox("Encoding", ENCODINGS, key="base/encoding")
        sheet = st.text_input(
            "Sheet", key="base/sheet", help="Of a workbook; empty means the one called baseline."
        )
    return delimiter, decimal, order, zone, encoding, sheet


def _template(series: Series, dialect: Dialect) -> None:
    layout = layout_for(series.metric, series.grain)
    with st.expander("Template and what its columns mean"):
        columns = (Column("Column"), Column("Meaning"), Column("Example"))
        tables.show(tables.plain("Columns of the template", columns, dictionary(layout, dialect)))
        name = f"baseline-{tiles.slug(series.metric)}-{series.grain}"
        with st.container(horizontal=True):
            st.download_button("Template as CSV", template_csv(layout, dialect), f"{name}.csv", "text/csv")
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            st.download_button(
                "Template as XLSX", lambda: template_xlsx(layout, dialect), f"{name}.xlsx", kind
            )


def _file(runtime: Runtime) -> None:
    """Take the file once: to disk, by its hash; the session keeps where it lies and what it is called."""
    turn = int(st.session_state.get(TURN, 0))
    file = st.file_uploader(
        "File", ("csv", "gz", "xlsx", "parquet"), key=f"base/file-{turn}",
        help="CSV, CSV.GZ, XLSX or Parquet of at most 50 MB; larger ones through the command line.",
    )  # fmt: skip
    if file is not None:
        st.session_state[HELD] = (str(stash(runtime.settings, file.getbuffer(), file.name)), file.name)
        st.session_state[TURN] = turn + 1
        st.rerun()


def _show(room: Room, runtime: Runtime, request: Request) -> None:
    try:
        with st.spinner("Looking at the file in a process of its own"):
            found = _looked(room, runtime, request)
    except (CommandError, OSError) as error:
        st.html(f'<p class="tl-warn" role="alert">{text(error)}</p>')
        return
    mark = "tl-done" if found.checked.sound else "tl-warn"
    st.html(f'<p class="{mark}" role="status"><b>{text(request.name)}</b>: {text(found.sentence)}</p>')
    _repairs(found)
    _preview(found)
    _changes(found)
    if found.known:
        st.html(f'<p class="tl-note">{text(found.known)}</p>')
    elif found.checked.sound:
        st.button(
            "Record as a draft", key="base/go", type="primary", on_click=_bring, args=(room, runtime, request)
        )


def _looked(room: Room, runtime: Runtime, request: Request) -> Look:
    """Looked at once for each file, series, dialect and state of the ledger, however often the page is drawn."""
    seq = max((r.seq for r in room.rows("baselines")), default=0)
    name = (request.path, request.series, request.dialect, request.name, room.today, seq)
    kept = st.session_state.get("base/look")
    if isinstance(kept, tuple) and kept[0] == name and isinstance(kept[1], Look):
        return kept[1]
    found = look(room, runtime.settings, request, runtime.readings)
    st.session_state["base/look"] = (name, found)
    return found


def _repairs(found: Look) -> None:
    """Faults by what mends them, the most frequent first, and the rows to take away and mend."""
    repairs = found.checked.findings.repairs
    if not repairs:
        return
    columns = (Column("Cells", right=True), Column("What to do"), Column("Such as"))
    rows = [
        (
            words.count(r.count),
            r.action,
            "; ".join(f"row {e.line}, {e.column or 'whole row'}: {e.value!r}" for e in r.examples[:3]),
        )
        for r in repairs
    ]
    tables.show(tables.plain("What to mend", columns, rows))
    st.download_button(
        "Take away the rows to mend", found.checked.marked, "rows-to-mend.csv", "text/csv", key="base/marked"
    )


def _preview(found: Look) -> None:
    findings = found.checked.findings
    if findings.ignored:
        st.html(f'<p class="tl-note">Not used: {text(", ".join(findings.ignored))}.</p>')
    if findings.preview:
        with st.expander("The first rows as they were read"):
            width = max(len(row) for row in findings.preview)
            columns = [Column(f"{at + 1}") for at in range(width)]
            rows = [(*row, *[""] * (width - len(row))) for row in findings.preview]
            tables.show(tables.plain("First rows", columns, rows))


def _changes(found: Look) -> None:
    """What an approval would change."""
    if found.effects:
        columns = (Column("What would change"), Column("Before", right=True), Column("After", right=True))
        rows = [(e.what, e.before, e.after) for e in found.effects]
        tables.show(tables.plain("What an approval would change", columns, rows))
    difference = found.checked.findings.difference
    if difference is not None:
        d = difference
        new, changed, gone, same = (words.count(n) for n in (d.new, d.changed, d.gone, d.same))
        told = (
            f"Against the baseline in force: {new} rows new, {changed} changed, {gone} gone, {same} the same."
        )
        st.html(f'<p class="tl-note">{text(told)}</p>')


def _bring(room: Room, runtime: Runtime, request: Request) -> None:
    said = bring(room, runtime.settings, request)
    if said.receipt is None:
        forms.tell(SLOT, said)
        return
    for name in (HELD, "base/look"):
        st.session_state.pop(name, None)
    request.path.unlink(missing_ok=True)
    forms.pick("baselines", said.receipt.record_id)
    forms.tell(f"baselines/{said.receipt.record_id}", said)
