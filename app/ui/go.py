"""Going to another page from a button. The scope bar's choice goes along: it lives in the session as well as in the link."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from app.settings import ROOT


def to(page: str) -> NoReturn:
    """Open a page by its file's name."""
    # Without the empty mapping Streamlit refuses to leave a page whose link carries a widget's choice.
    st.switch_page(ROOT / "pages" / f"{page}.py", query_params={})


def keep(key: str, value: str) -> None:
    """A click's own errand before the page is drawn again: choose something in a list of the next page."""
    st.session_state[key] = value
