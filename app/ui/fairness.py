"""The Fairness page's parts."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.fairness_cards import AttributeCard, FairnessBoard
from app.measure.judged import Frame, Judged
from app.ui import charts, charts_groups, marks, tables
from app.ui.lead import about
from app.ui.marks import label, text

SHOWN = 3  # panels drawn at once; the others stand in the table of figures


def lead(frame: Frame, board: FairnessBoard) -> None:
    """The sentence that matters, with its verdict."""
    about(
        frame, "fairness", board.model, board.verdict, board.sentence, (board.detail,), "Open the four-fifths rule"
    )  # fmt: skip


def attribute(card: AttributeCard) -> None:
    """One protected attribute: rates as dots with whiskers, then gaps and ratios as figures."""
    st.html(f'<h2 class="tl-h">By {text(words.named(card.name))}</h2>')
    with st.grid(SHOWN, min_column_width=300, gap="small"):
        for panel in card.panels[:SHOWN]:
            with st.container(border=True, height="stretch"):
                charts.draw(charts_groups.rates(panel), key=f"{card.name}-{panel.metric.key}")
    with st.expander(f"Gaps, ratios and figures by {label(words.named(card.name))}"):
        tables.show(_table(card.gaps, "Gaps to the largest group"))
        tables.show(_table(card.fifths, "Ratio to the group flagged most (four-fifths rule)"))
        tables.show(_table(tuple(j for p in card.panels for j in p.groups), "Rates"))


def _table(found: tuple[Judged, ...], title: str) -> tables.Table:
    columns = (tables.Column(title), tables.Column("Group"), *tables.NUMBERS, tables.Column("Verdict"))
    rows = tuple(
        (
            text(j.metric.title), text(j.subject), *tables.number_cells(j.metric, j.reading),
            marks.badge(j) if j.has_target else "",
        )
        for j in found
    )  # fmt: skip
    return tables.Table(title, columns, rows)
