"""The list of cases behind a headline: asked for by the reader, never read with the page."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.measure import words
from app.measure.cases import CaseList, case_list
from app.measure.judged import Frame
from app.ui import tables
from metrics.core.metric import Metric

Settings = tuple[tuple[str, str], ...]


def draw(frame: Frame, metric: Metric[object], key: str, settings: Settings = ()) -> None:
    """An expander that offers the cases behind a metric; the warehouse is asked when the reader switches it on.

    `key` is unique on the page; `settings` are those the headline was read with.
    """
    with st.expander("Cases behind this number"):
        if metric.cases is None:
            st.caption("This figure has no list of cases.")
            return
        st.caption(f"{words.sentence(metric.cases.title)} Read from the warehouse when you ask for it.")
        if st.toggle("Show the list", key=f"cases-{key}"):
            scope = replace(frame.scope(metric), settings=settings)
            with st.spinner("Reading the warehouse"):
                found = case_list(frame.runtime, metric, scope)
            _listed(found, metric, key)


def _listed(found: CaseList, metric: Metric[object], key: str) -> None:
    if found.refused:
        st.caption(words.sentence(found.refused))
        return
    if not found.rows:
        st.caption("No case in this period.")
        return
    columns = [tables.Column(words.named(name)) for name in found.columns]
    tables.show(tables.plain(found.title, columns, found.rows))
    size = (
        f"The first {words.count(len(found.rows))}; there are more."
        if found.more
        else f"All {words.count(len(found.rows))}."
    )
    st.caption(f"{size} Times are UTC. Persons stand as ids.")
    st.download_button(
        "Download the list as CSV", found.csv(), file_name=f"{metric.key}-cases.csv", mime="text/csv",
        key=f"cases-{key}-csv", on_click="ignore",
    )  # fmt: skip
