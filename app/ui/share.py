"""A link to the view on the screen: as it will be read on the day it is opened, or as it is known today."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from app.measure.judged import Frame
from app.ui.session import AS_OF


def popover(frame: Frame) -> None:
    """The two links, each with a button that copies it."""
    with st.popover("Share", key="share", type="tertiary", on_change="rerun") as box:
        if not box.open:
            return
        st.caption("The newest numbers, on whatever day it is opened:")
        st.code(link(st.context.url or "", dict(st.query_params)), language=None, wrap_lines=True)
        st.caption("These numbers, as they are known at the end of the day:")
        kept = {**dict(st.query_params), AS_OF: (frame.view.as_of or frame.now.date()).isoformat()}
        st.code(link(st.context.url or "", kept), language=None, wrap_lines=True)


def link(url: str, query: dict[str, str]) -> str:
    """An address with these choices and nothing else of the old ones."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
