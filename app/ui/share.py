"""A link to the view on the screen, as it will be read when it is opened or as it is known today; and views under a name."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from app.govern.model import Row
from app.govern.saved_views import LEFT_OUT, SavedView, forget, save, saved_views
from app.govern.views import Room
from app.govern.views_forms import new_draft
from app.measure.judged import Frame
from app.ui import forms, session
from app.ui.marks import label, text
from app.ui.session import AS_OF

FIRST = "scorecard"  # the page that the bare address shows
SLOT, KEY, NAME = "saved_views", "_saved_view", "saved_view_name"


def popover(frame: Frame, page: str, pages: frozenset[str]) -> None:
    """The two links, each with a button that copies it, and the reader's own views. `pages`: names in the address."""
    with st.popover("Share and views", key="share", type="tertiary", on_change="rerun") as box:
        if not box.open:
            return
        st.caption("The newest numbers, on whatever day it is opened:")
        query = {k: v for k, v in dict(st.query_params).items() if k not in LEFT_OUT}
        st.code(link(st.context.url or "", query), language=None, wrap_lines=True)
        st.caption("These numbers, as they are known at the end of the day:")
        kept = {**query, AS_OF: (frame.view.as_of or frame.now.date()).isoformat()}
        st.code(link(st.context.url or "", kept), language=None, wrap_lines=True)
        _views(page, pages)


def link(url: str, query: dict[str, str]) -> str:
    """An address with these choices and nothing else of the old ones."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def _views(page: str, pages: frozenset[str]) -> None:
    """The reader's own views as links, and a line to keep this one."""
    room = session.look()
    if room is None or not room.roles or room.actor is None:
        return
    st.divider()
    forms.answer(SLOT)
    for view in saved_views(room):
        if view.page in pages:
            _view(room, view)
    if KEY not in st.session_state:
        st.session_state[KEY] = new_draft().key
    with st.form(key="save-view", border=False):
        st.text_input(
            "Keep this view as", key=NAME, max_chars=200, placeholder="Such as: churn, the whole year"
        )
        st.form_submit_button("Keep this view", on_click=_save, args=(room, page, dict(st.query_params)))
    st.caption("Views are listed for you alone. Whoever has the link of one sees it with their own rights.")


def _view(room: Room, view: SavedView) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"saved-{view.row.record_id}",
    ):  # fmt: skip
        address = f"./{'' if view.page == FIRST else view.page}?{urlencode(view.choices)}"
        st.html(f'<a class="tl-view" href="{text(address)}">{text(view.title)}</a>')
        st.button(
            "Remove", key=f"forget-{view.row.record_id}", type="tertiary", help=f"Remove {label(view.title)} from the list",
            on_click=_forget, args=(room, view.row),
        )  # fmt: skip


def _save(room: Room, page: str, choices: dict[str, str]) -> None:
    if room.actor is None:
        return
    state = st.session_state
    said = save(room.ledger, room.actor, str(state.get(NAME) or ""), page, choices, str(state[KEY]))
    if said.receipt is not None:
        del state[KEY]
    forms.tell(SLOT, said)


def _forget(room: Room, row: Row) -> None:
    forms.tell(SLOT, forget(room, row, f"forget/{row.record_id}/{row.version}"))
