"""The Definitions page's parts."""

from __future__ import annotations

import streamlit as st

from app.measure import dictionary
from app.measure.dictionary import Chapter, Entry
from app.runtime import Runtime
from app.ui import tour
from app.ui.marks import text
from app.ui.terms import TERMS


def search(runtime: Runtime) -> tuple[str, str]:
    """What is looked for and the SQL dialect to print; both live in the link."""
    wide, narrow = st.columns([3, 1], gap="small")
    wanted = wide.text_input(
        "Search definitions", key="q", bind="query-params", placeholder="a word of the title, question or definition",
        live=True, type="search",
    )  # fmt: skip
    choices = dictionary.dialects(runtime)
    dialect = narrow.selectbox("SQL for", choices, key="dialect", bind="query-params")
    return wanted or "", dialect or choices[0]


def words() -> None:
    """The words of the trade that are explained wherever they stand, and the way round the app."""
    with st.expander("Words used on every page"):
        lines = "".join(
            f"<dt>{text(w)}</dt><dd>{text(m)}</dd>"
            for w, m in sorted(TERMS.items(), key=lambda p: p[0].lower())
        )
        st.html(f'<dl class="tl-dl">{lines}</dl>')
    if st.button("Show me round", key="tour-again"):
        tour.show()


def chapter(runtime: Runtime, found: Chapter, dialect: str) -> None:
    """One family: a line a metric that opens to the whole declaration."""
    st.html(f'<h2 class="tl-h">{text(found.family.capitalize())}</h2>')
    with st.container(gap="xsmall"):
        for entry in found.entries:
            _entry(runtime, entry, dialect)


def _entry(runtime: Runtime, entry: Entry, dialect: str) -> None:
    metric = entry.metric
    title = metric.title.replace("[", "\\[").replace("$", "\\$")
    box = st.expander(f"**{title}** · {metric.question}", key=f"def-{metric.key}", on_change="rerun")
    if not box.open:
        return
    with box:
        lines = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in entry.facts)
        lines += "".join(f"<dt>Setting</dt><dd>{text(s)}</dd>" for s in entry.settings)
        st.html(f'<dl class="tl-dl">{lines}</dl>')
        st.code(dictionary.sql(runtime, metric, dialect), language="sql", wrap_lines=True)
