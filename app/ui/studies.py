"""Studies, drawn: the portfolio by evidence grade, and one study with its charts, gates and plain words."""

from __future__ import annotations

import streamlit as st

from app.govern.open import existing_ledger
from app.govern.study_words import gate_name
from app.govern.views import Room
from app.govern.views_value import Portfolio, StudyLine, StudyView, portfolio, study_view
from app.measure import words
from app.runtime import Runtime, utc_now
from app.ui import charts, charts_courses, charts_studies, marks, session, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from metrics.attribution.result import Diagnostic, Verdict
from metrics.core.verdict import State

_GRADES = {
    "randomised": State.MET, "quasi-experimental": State.MET, "modelled": State.INCONCLUSIVE, "claimed": State.NO_DATA,
    "blocked": State.NOT_MET,
}  # fmt: skip
_GATES = {
    Verdict.PASS: State.MET, Verdict.WARN: State.INCONCLUSIVE, Verdict.BLOCK: State.NOT_MET, Verdict.UNKNOWN: State.NO_DATA,
}  # fmt: skip


def board(runtime: Runtime) -> Portfolio | None:
    """The portfolio as the reader may see it, drawn; None where there is no ledger or no right to read it."""
    if existing_ledger(runtime.settings, utc_now) is None:
        return None
    room = session.room()
    if not room.roles:
        return None
    found = portfolio(room, runtime.settings)
    _portfolio(found)
    if found.lines:
        _chosen(room, runtime, found)
    return found


def _portfolio(found: Portfolio) -> None:
    with st.container(border=True, gap="small"):
        st.html(
            f'<p class="tl-eyebrow">What AI contributed, by strength of evidence</p>'
            f'<p class="tl-lead">{text(found.sentence)}</p><p class="tl-sub">{text(found.detail)}</p>'
        )
        if found.lines:
            columns = (
                Column("Study"), Column("Evidence"), Column("Effect", right=True), Column("Value", right=True),
                Column("Cost", right=True), Column("ROI", right=True), Column("In the sum"),
            )  # fmt: skip
            tables.show(
                Table("Studies by evidence grade", columns, tuple(_line(line) for line in found.lines))
            )


def _line(one: StudyLine) -> tuple[str, ...]:
    name = f"<b>{text(one.title)}</b><br>{text(one.initiative)}, {text(one.design)}"
    figures = tuple(
        _grey(text(x), grey=one.grade == "blocked") for x in (one.effect, one.value, one.cost, one.roi)
    )
    return (name, badge(one.grade), *figures, "yes" if one.adds else text(one.why_not))


def _grey(markup: str, *, grey: bool) -> str:
    """Numbers that must not be relied on are struck and pale; the words beside them say why."""
    return f'<s class="tl-off">{markup}</s>' if grey and markup else markup


def badge(grade: str) -> str:
    state = _GRADES.get(grade, State.NO_DATA)
    return f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{text(grade)}</span>'


def _chosen(room: Room, runtime: Runtime, found: Portfolio) -> None:
    names = {line.study: line.title for line in found.lines}
    chosen = st.selectbox(
        "Look at a study", list(names), format_func=lambda s: names.get(s, s), key="study", bind="query-params",
        persist_state="session",
    )  # fmt: skip
    view = study_view(room, runtime.settings, chosen) if chosen else None
    if view is None:
        st.html(
            '<p class="tl-warn">The result of this study cannot be shown: its file is missing or was altered.</p>'
        )
        return
    _study(view)


def _study(view: StudyView) -> None:
    """One study: words first, then charts, then the gates."""
    result = view.result
    with st.container(border=True, gap="small"):
        design = text(result.design.replace("_", " "))
        head = f'<p class="tl-eyebrow"><b>{text(result.name)}</b> · {design}</p>{badge(result.grade)}'
        report = "".join(f"<p>{text(p)}</p>" for p in view.told.report[1:])
        st.html(f'{head}<p class="tl-lead tl-small">{text(view.told.report[0])}</p>{report}')
        if result.blocked_by:
            gates = words.listed(tuple(map(gate_name, result.blocked_by)))
            st.html(
                f'<p class="tl-warn">Blocked by {text(gates)}. What follows is shown so that it can be mended.</p>'
            )
    _charts(view)
    _gates(result.diagnostics)
    tiles.heading("What would raise the grade")
    st.html('<ol class="tl-list">' + "".join(f"<li>{text(line)}</li>" for line in view.told.raises) + "</ol>")
    with st.expander("How it was done, and the other methods"):
        lines = "".join(f"<dt>{text(n)}</dt><dd>{text(v)}</dd>" for n, v in view.facts)
        st.html(f'<dl class="tl-dl">{lines}</dl>')
        _alternatives(view)
    st.download_button(
        "Take the report away", "\n\n".join((*view.told.report, *view.told.raises)), f"{tiles.slug(result.name)}.txt",
        key="report",
    )  # fmt: skip


def _charts(view: StudyView) -> None:
    drawn = (
        ("was", charts_studies.counterfactual(view.result)),
        ("cumulative", charts_studies.cumulative(view.result)),
        ("path", charts_studies.path(view.result)),
        ("placebos", charts_studies.placebos(view.result)),
        ("left-out", charts_studies.left_out(view.result)),
        ("in-time", charts_studies.in_time(view.result)),
        ("lasts", charts_courses.lasts(view.result)),
        ("uplift", charts_courses.uplift(view.result)),
        ("waterfall", charts_studies.waterfall(view.result)),
    )
    for name, chart in drawn:
        charts.draw(chart, key=f"study-{name}")


def _gates(found: tuple[Diagnostic, ...]) -> None:
    """Every gate as a line of a checklist, those that stand in the way first."""
    tiles.heading("Gates", "What was checked, against which threshold, and what to do where it did not hold.")
    order = (Verdict.BLOCK, Verdict.WARN, Verdict.UNKNOWN, Verdict.PASS)
    columns = (
        Column("Gate"),
        Column("Value", right=True),
        Column("Threshold", right=True),
        Column("Why, and what to do"),
    )
    rows = tuple(_gate(d) for d in sorted(found, key=lambda d: order.index(d.verdict)))
    tables.show(Table("Gates of the study", columns, rows))


def _gate(one: Diagnostic) -> tuple[str, ...]:
    state = _GATES[one.verdict]
    mark = (
        f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{text(one.verdict.value)}</span>'
    )
    numbers = tuple(_told(v) for v in (one.value, one.threshold))
    todo = "" if one.verdict is Verdict.PASS or not one.what_to_do else words.sentence(one.what_to_do)
    why = text(words.sentence(one.why)) + (f"<br><b>{text(todo)}</b>" if todo else "")
    return (f"{text(words.sentence(gate_name(one.name)).rstrip('.'))}<br>{mark}", *numbers, why)


def _told(value: float | None) -> str:
    return words.DASH if value is None else words.formatted(value, ".4g")


def _alternatives(view: StudyView) -> None:
    columns = (
        Column("Method"),
        Column("Estimate", right=True),
        Column("Low", right=True),
        Column("High", right=True),
    )
    rows = [(a.method, *(_told(v) for v in (a.estimate, a.low, a.high))) for a in view.result.alternatives]
    if rows:
        tables.show(tables.plain("The same question by other methods", columns, rows))
