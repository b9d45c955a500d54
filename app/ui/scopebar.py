"""The scope bar: which model, experiment, days and knowledge time. It lives in the link, so a link shares the view."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import streamlit as st

from app.measure.scope import Ground, Period
from app.ui import marks
from app.ui.session import AS_OF, EXPERIMENT, MODEL, PERIOD

INITIATIVE = "initiative"
NONE: Mapping[str, str] = MappingProxyType({})
WIDTH = 171  # two beside each other on a phone of 390 px


class Control(StrEnum):
    INITIATIVE = INITIATIVE
    MODEL = MODEL
    EXPERIMENT = EXPERIMENT
    PERIOD = PERIOD
    AS_OF = AS_OF


def path_line(place: str, about: str) -> None:
    """Where the reader is and what the numbers are of."""
    st.html(
        f'<div class="tl-head"><h1 class="tl-title">{marks.text(place)}</h1><p class="tl-path">{marks.text(about)}</p></div>'
    )


def show(controls: tuple[Control, ...], on: Ground, initiatives: Mapping[str, str] = NONE) -> None:
    """Draw the controls that fit the page. Choices outlive page changes through the link and the session."""
    if not controls or on.empty:
        return
    with st.container(horizontal=True, gap="small", key="scope", vertical_alignment="bottom"):
        if Control.INITIATIVE in controls and initiatives:
            st.selectbox(
                "Initiative", ["", *initiatives], format_func=lambda i: initiatives.get(i, "Whole portfolio"), key=INITIATIVE,
                bind="query-params", persist_state="session", filter_mode="contains", width=WIDTH,
            )  # fmt: skip
        if Control.MODEL in controls:
            _choice("Model", Control.MODEL, on.models, "All models")
        if Control.EXPERIMENT in controls:
            _choice("Experiment", Control.EXPERIMENT, on.experiments, "All experiments")
        if Control.PERIOD in controls:
            st.selectbox(
                "Period", [p.value for p in Period], index=1, key=Control.PERIOD.value,
                bind="query-params", persist_state="session", width=WIDTH,
            )  # fmt: skip
        if Control.AS_OF in controls:
            st.date_input(
                "As known on", value=None, min_value=on.first, max_value="today", key=Control.AS_OF.value,
                bind="query-params", persist_state="session", format="YYYY-MM-DD",
                width=WIDTH, help="Empty shows the newest data; a date, what was known at the end of that day.",
            )  # fmt: skip


def _choice(label: str, key: Control, names: tuple[str, ...], everything: str) -> None:
    st.selectbox(
        label, ["", *names], format_func=lambda name: name or everything, key=key.value, bind="query-params",
        persist_state="session", filter_mode="contains", width=WIDTH,
    )  # fmt: skip
