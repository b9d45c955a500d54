"""The card at the head of a page: the sentence that matters and the lines under it."""

from __future__ import annotations

import streamlit as st

from app.measure.judged import Frame, Judged
from app.ui import drawer, marks
from app.ui.marks import text


def show(sentence: str, detail: str) -> None:
    with st.container(border=True):
        st.html(
            f'<p class="tl-eyebrow">What matters most</p><p class="tl-lead">{text(sentence)}</p>'
            f'<p class="tl-sub">{text(detail)}</p>'
        )


def about(
    frame: Frame, name: str, subject: str, one: Judged | None, sentence: str, details: tuple[str, ...], opens: str
) -> None:  # fmt: skip
    """The same about one subject with its number's verdict; a button opens how we know the number."""
    badge = marks.badge(one) if one else ""
    below = "".join(f'<p class="tl-sub">{text(line)}</p>' for line in details)
    with st.container(border=True, key=f"tile-{name}", gap=None):
        st.html(
            f'<p class="tl-eyebrow">{text(subject)} {badge}</p><p class="tl-lead">{text(sentence)}</p>{below}'
        )
        if one and st.button(opens, key=f"open-{name}", type="tertiary"):
            drawer.show(frame, one)
