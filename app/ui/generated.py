"""The Generated text page's parts."""

from __future__ import annotations

import streamlit as st

from app.measure.generated_cards import GeneratedBoard, RubricCard
from app.measure.judged import Frame
from app.ui import charts, charts_groups, tables, tiles
from app.ui.lead import about
from app.ui.marks import label, text


def lead(frame: Frame, board: GeneratedBoard, right: str) -> None:
    """The sentence that matters, with its verdict and what the model may do on its own."""
    about(
        frame, "generated", board.model, board.verdict, board.sentence, (right, board.detail),
        "Open the rate of invented facts",
    )  # fmt: skip


def rubrics(cards: tuple[RubricCard, ...]) -> None:
    """Each rubric: its rate told in several ways, and how far the judge and the people may be trusted."""
    for card in cards:
        with st.container(border=True):
            if len(card.panel.groups) > 1:
                charts.draw(charts_groups.rates(card.panel), key=f"rubric-{card.rubric}")
            else:
                tiles.heading(card.panel.finding)
            with st.expander(f"Who says so: {label(card.rubric)} in figures"):
                tables.show(_told(card))
                tables.show(_trust(card))


def _told(card: RubricCard) -> tables.Table:
    columns = (tables.Column("Told by"), *tables.NUMBERS)
    rows = tuple((text(j.subject), *tables.number_cells(j.metric, j.reading)) for j in card.panel.groups)
    return tables.Table(f"{card.rubric} as told by people and by the judge", columns, rows)


def _trust(card: RubricCard) -> tables.Table:
    columns = (tables.Column("May they be trusted?"), *tables.NUMBERS)
    rows = tuple((text(j.metric.title), *tables.number_cells(j.metric, j.reading)) for j in card.trust)
    return tables.Table(f"{card.rubric}: how judge and people agree", columns, rows)
