"""The way round, offered on a first visit and kept under About. Nobody has to take it."""

from __future__ import annotations

import streamlit as st

from app.ui.marks import text

SEEN, STEP = "tour", "_tour_step"
STEPS = (
    (
        "Five seconds",
        "The first row answers three questions: what AI contributed and what it cost, where most value is lost, and what"
        " waits for a decision. Every number carries the range in which the truth lies.",
    ),
    (
        "One initiative",
        "Choose it in the first list. The page then holds its numbers alone, and the link in the address bar carries the"
        " choice: send it and others see the same.",
    ),
    (
        "What a tile says",
        "Value, range, and a verdict as shape, word and colour. Only met passes. Half a disc means that the range holds the"
        " target, so nobody can call it yet; a dash means that it is not known, and says why.",
    ),
    (
        "Behind a number",
        "Click a tile: history with what happened around it, its definition, breakdowns, the query, and what people said"
        " and did. Comments are signed and stay.",
    ),
    (
        "Where things are",
        "Measure holds the numbers, Govern the people, risks and decisions. Publications shows what the board saw on a day,"
        " and what became of it since.",
    ),
)


def offer() -> None:
    """A line on the first visit of a session; the link remembers that it was answered."""
    if st.query_params.get(SEEN) == "seen" or st.session_state.get(SEEN):
        return
    with st.container(border=True, key="first-visit", horizontal=True, vertical_alignment="center"):
        st.html('<p class="tl-note">New here? Five short steps show what stands where.</p>')
        if st.button("Show me round", key="tour-start"):
            show()
        st.button("Not now", key="tour-no", type="tertiary", on_click=_answered)


def _answered() -> None:
    st.session_state[SEEN] = "seen"


def show() -> None:
    """Open the tour."""
    st.session_state.setdefault(STEP, 0)
    st.dialog("The way round", width="medium", on_dismiss=_answered)(_steps)()


def _steps() -> None:
    at = min(max(int(st.session_state.get(STEP, 0)), 0), len(STEPS) - 1)
    title, words = STEPS[at]
    st.html(
        f'<p class="tl-eyebrow">{at + 1} of {len(STEPS)}</p><p class="tl-lead">{text(title)}</p>'
        f'<p class="tl-tour">{text(words)}</p>'
    )
    with st.container(horizontal=True):
        st.button("Back", key="tour-back", disabled=at == 0, on_click=_go, args=(-1,))
        if at + 1 < len(STEPS):
            st.button("Next", key="tour-next", type="primary", on_click=_go, args=(1,))
        elif st.button("Start", key="tour-end", type="primary", on_click=_answered):
            st.rerun()


def _go(step: int) -> None:
    st.session_state[STEP] = int(st.session_state.get(STEP, 0)) + step
