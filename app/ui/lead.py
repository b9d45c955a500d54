"""The card at the head of a register page: the sentence that matters and one line under it."""

from __future__ import annotations

import streamlit as st

from app.ui.marks import text


def show(sentence: str, detail: str) -> None:
    with st.container(border=True):
        st.html(
            f'<p class="tl-eyebrow">What matters most</p><p class="tl-lead">{text(sentence)}</p>'
            f'<p class="tl-sub">{text(detail)}</p>'
        )
