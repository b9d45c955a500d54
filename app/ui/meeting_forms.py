"""The forms of a meeting: open it, come and go, vote and decide on the item, close it with minutes."""

from __future__ import annotations

import streamlit as st

from app.govern import views_meeting_acts as acts
from app.govern.views import Room
from app.govern.views_docket import Docket
from app.govern.views_forms import Said, new_draft
from app.govern.views_gates import Board
from app.govern.views_meeting import Presence, agenda_of
from app.measure import words
from app.measure.judged import Frame
from app.ui import council_forms, forms
from app.ui.marks import text

SLOT = "meeting"


def answer() -> None:
    """What became of the last command about the meeting itself."""
    forms.answer(SLOT)


def _key(name: str) -> str:
    """An idempotency key that stays with a form until it is saved."""
    slot = f"draft/{SLOT}/{name}"
    if slot not in st.session_state:
        st.session_state[slot] = new_draft().key
    return str(st.session_state[slot])


def _tell(name: str, said: Said) -> None:
    forms.tell(SLOT, said)
    if said.receipt:
        st.session_state.pop(f"draft/{SLOT}/{name}", None)


def open_(room: Room, board: Board) -> None:
    """Open a meeting with what is due; for the council."""
    if "council" not in room.roles:
        st.html('<p class="tl-note">No meeting is on. A member of the council opens one.</p>')
        return
    due = agenda_of(board.agenda)
    with st.form(key="meeting-open", border=False):
        st.text_input("Title *", key=f"{SLOT}/title", max_chars=200, placeholder="Council of November")
        st.html(f'<p class="tl-sub">Its agenda: {words.plural(len(due), "item")} that are due now.</p>')
        st.form_submit_button("Open the meeting", type="primary", on_click=_open, args=(room, due))


def _open(room: Room, due: tuple[str, ...]) -> None:
    title = str(st.session_state.get(f"{SLOT}/title") or "")
    _tell("open", acts.open_(room, title, due, _key("open")))


def item(room: Room, frame: Frame, one: Docket) -> None:
    """The reader's own vote, and the decision, where they are open to the reader."""
    forms.answer(f"council/{one.review}")
    council_forms.open_item(room, frame, one)


def room(seen: Room, number: str, now: Presence) -> None:
    """Coming, going, and the end of the meeting."""
    with st.container(horizontal=True):
        if now.inside:
            st.button("Leave the meeting", key="meeting-leave", on_click=_leave, args=(seen,))
        else:
            st.button("Enter the meeting", key="meeting-enter", on_click=_enter, args=(seen,))
    if now.why_not_close:
        st.html(f'<p class="tl-note">Closing: {text(now.why_not_close)}.</p>')
        return
    with st.expander("Close the meeting and keep its minutes"), st.form(key="meeting-close", border=False):
        st.text_area(
            "Remarks", key=f"{SLOT}/remarks", height=80, max_chars=4000, help="What the records do not say."
        )
        st.form_submit_button("Close the meeting", on_click=_close, args=(seen, number))


def _enter(seen: Room) -> None:
    _tell("enter", acts.enter(seen))


def _leave(seen: Room) -> None:
    _tell("leave", acts.leave(seen))


def _close(seen: Room, number: str) -> None:
    remarks = str(st.session_state.get(f"{SLOT}/remarks") or "")
    _tell("close", acts.close(seen, number, remarks, _key("close")))
