"""The way between pages on a phone. Streamlit folds its own into a list whose markup is not sound (1.67), so there ours stands.

The style sheet shows the one or the other, at the width at which Streamlit folds its navigation.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import streamlit as st
from streamlit.navigation.page import Page

from app.ui.marks import label, text

OPEN, AT = "nav", "_nav_at"  # whether the list is unfolded, and the page it was last drawn on


class Place(Protocol):
    """What a page of Streamlit says of itself."""

    @property
    def title(self) -> str: ...

    @property
    def url_path(self) -> str: ...


def page(file: Path, title: str, *, first: bool) -> Page:
    """One of the app's pages. Streamlit looks a file up by every folder above it, so that is done once a process.

    Each run gets its own copy, because navigating marks the page that may be run.
    """
    return copy.copy(_page(file, title, first))


@cache
def _page(file: Path, title: str, first: bool) -> Page:  # noqa: FBT001 (a key of the cache)
    return st.Page(file, title=title, url_path=file.stem, default=first)


def phone(sections: Mapping[str, Sequence[Place]], here: Place) -> None:
    """A line that unfolds to every page under its section; arriving at a page folds it. Its links are sent when it is open.

    Not a popover: that hangs at the end of the document, a whole page of tabs away from its button.
    """
    state = st.session_state
    if state.get(AT) != here.url_path:
        state[AT], state[OPEN] = here.url_path, False
    with st.container(key="pages"):
        box = st.expander("Pages", key=OPEN, on_change="rerun")
        if box.open:
            with box:
                _list(sections, here)


def _list(sections: Mapping[str, Sequence[Place]], here: Place) -> None:
    with st.container(key="pages-list", gap=None):
        for section, places in sections.items():
            st.html(f'<h2 class="tl-eyebrow">{text(section)}</h2>')
            for place in places:
                if place.url_path == here.url_path:
                    st.html(f'<p class="tl-here" aria-current="page">{text(place.title)}</p>')
                else:
                    st.page_link(place, label=label(place.title), width="stretch")  # type: ignore[arg-type]
