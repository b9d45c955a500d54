"""Model cards against measurements, drawn as a table."""

from __future__ import annotations

import streamlit as st

from app.govern.model_card import HOLDS, OUT_OF_DATE, Claim
from app.ui import marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from metrics.core.verdict import State

_STATES = {HOLDS: State.MET, OUT_OF_DATE: State.NOT_MET}


def claims(found: tuple[Claim, ...]) -> None:
    """One line a claim, those out of date first."""
    if not found:
        return
    late = sum(c.state == OUT_OF_DATE for c in found)
    tiles.heading(
        "Model cards beside today's measurements",
        f"{late} of {len(found)} claims are out of date."
        if late
        else "No claim is contradicted by today's interval.",
    )
    columns = (
        Column("Model"), Column("Claim"), Column("Claimed", right=True), Column("Measured", right=True),
        Column("State"), Column("Why"),
    )  # fmt: skip
    with st.container(key="model-cards"):
        tables.show(Table("Model cards", columns, tuple(_line(c) for c in found)))


def _line(one: Claim) -> tuple[str, ...]:
    state = _STATES.get(one.state, State.NO_DATA)
    badge = f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{text(one.state)}</span>'
    name = f"<b>{text(one.initiative)}</b><br>{text(one.subject)}"
    return name, text(one.metric), text(one.claimed), text(one.measured), badge, text(one.why)
