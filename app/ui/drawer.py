"""The drawer of one number: question, definition, history, breakdowns, how we know, SQL, owner, warnings."""

from __future__ import annotations

import streamlit as st

from app.govern.happenings import happenings
from app.measure import words
from app.measure.evidence import Evidence, breakdown, evidence
from app.measure.judged import Frame, Judged
from app.ui import charts, marks, remarks, session, tables
from app.ui.marks import text


def show(frame: Frame, one: Judged) -> None:
    """Open the drawer on the right side for one judged reading."""
    title = one.metric.title + (f" · {one.subject}" if one.subject else "")
    st.dialog(title, width=620, position="right")(_body)(frame, one)


def _body(frame: Frame, one: Judged) -> None:
    found = evidence(frame, one)
    _value(one)
    for warning in one.reading.warnings:
        st.html(f'<p class="tl-warn">{text(warning)}</p>')
    room = session.look()
    around = happenings(frame, one, room)
    charts.draw(charts.history(one, found.history, remarks.flags(around)), key="drawer-history")
    if found.history:
        remarks.legend(around)
        remarks.happened(around)
    remarks.show(frame, one, room)
    with st.expander("History as a table"):
        tables.show(tables.history(one.metric, found.history))
    _breakdowns(frame, one, found)
    _definition(found)
    with st.expander("SQL"):
        st.caption(f"Runs on {found.engine}. Other dialects are on the Definitions page.")
        st.code(found.sql, language="sql", wrap_lines=True)


def _value(one: Judged) -> None:
    shown = words.shown(one.metric, one.reading)
    target = one.verdict.target
    aim = f"Target {words.target_words(one.metric, target)}" if target else "No target is set"
    note = f" ({target.note})" if target and target.note else ""
    interval = f"{shown.interval}, n {shown.n}" if shown.interval else (one.reading.reason or f"n {shown.n}")
    st.html(
        f'<div class="tl-tile"><div class="tl-top"><span class="tl-value">{marks.value_markup(shown)}</span>'
        f"{marks.badge(one)}</div>"
        f'<div class="tl-range">{text(interval)}</div>'
        f'<div class="tl-range">{text(aim + note)}: {text(one.verdict.why)}</div></div>'
    )


def _definition(found: Evidence) -> None:
    lines = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in found.facts)
    st.html(f'<dl class="tl-dl">{lines}</dl>')


def _breakdowns(frame: Frame, one: Judged, found: Evidence) -> None:
    if not found.dims:
        return
    dim = st.selectbox(
        "Break down by", found.dims, index=None, format_func=words.named, placeholder="Choose a dimension"
    )
    if dim:
        tables.show(tables.breakdown(breakdown(frame, one, dim)))
