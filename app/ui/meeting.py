"""The meeting's page, drawn for a projector: one item at a time, presence and quorum, votes as they come in.

What changes by itself is drawn in a fragment that looks at the ledger every `BEAT` seconds. Where the evidence or the
state of an item is another one than the page shows, the whole page is drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from app.govern.views import Room
from app.govern.views_docket import Docket, docket
from app.govern.views_gates import Board
from app.govern.views_meeting import Hall, Past, Presence, Slide, hall, presence
from app.measure import words
from app.measure.judged import Frame
from app.ui import council, meeting_forms, session, tiles
from app.ui.marks import text

BEAT = 0.6  # seconds between two looks at the ledger
AT = "meeting-item"
_KEPT = "_meeting-docket"


def item_of(on: Hall) -> Slide | None:
    """The item that is shown; None for an empty agenda."""
    return on.slides[_at(on)] if on.slides else None


def _at(on: Hall) -> int:
    """The place of the item that is shown; a meeting with fewer items than the last one begins at its end."""
    held = st.session_state.get(AT, 0)
    return max(0, min(int(held), len(on.slides) - 1))


def _go(place: int) -> None:
    st.session_state[AT] = place


def steer(on: Hall) -> None:
    """The head of the meeting: where it is, and the way to the items before and after. Arrow keys work too."""
    at, of = _at(on), len(on.slides)
    with st.container(horizontal=True, vertical_alignment="center", key="meeting-head"):
        st.html(
            f'<p class="tl-eyebrow">{text(on.number)}, {text(on.title)}, {text(on.opened)}.'
            f" {f'Item {at + 1} of {of}' if of else 'Nothing is on its agenda'}</p>"
        )
        st.button(
            "Previous item",
            key="meeting-back",
            disabled=at == 0,
            on_click=_go,
            args=(at - 1,),
            shortcut="Left",
        )
        st.button(
            "Next item",
            key="meeting-next",
            disabled=at + 1 >= of,
            on_click=_go,
            args=(at + 1,),
            shortcut="Right",
        )
    with st.expander("All items"):
        for place, one in enumerate(on.slides):
            label = f"{place + 1}. {one.title} ({one.point.text})"
            st.button(label, key=f"meeting-to-{place}", type="tertiary", on_click=_go, args=(place,))


def slide(room: Room, frame: Frame, on: Hall) -> None:
    """One item: what it is and how the votes stand, its evidence then and now, and the reader's own forms."""
    shown = item_of(on)
    number = shown.review if shown else ""
    with st.container(key="projector"):
        one = _docket(room, frame, number) if number else None
        if shown is not None:
            st.html(
                f'<p class="tl-eyebrow">{text(shown.point.kind.capitalize())} {text(shown.point.record)}</p>'
                f'<p class="tl-lead">{text(shown.title)}</p><p class="tl-sub">{text(_why(shown, one))}</p>'
            )
        _pulse(frame, number, one)
        if one is not None:
            council.facts(one.record)
            council.evidence(one)
        _desk(frame, on.number, number)


def _why(shown: Slide, one: Docket | None) -> str:
    """Why the item is here. Of an open review what its evidence says; its votes stand below and move by themselves."""
    if one is None or shown.point.kind != "review":
        return shown.why
    return "The gate holds today." if one.holds else f"The gate does not hold today: {one.verdict}"


@st.fragment(run_every=BEAT)
def _pulse(frame: Frame, review: str, drawn: Docket | None) -> None:
    """Presence, quorum and votes, as the ledger has them now."""
    room = session.room(watched=False)
    now = presence(room, review)
    one = _docket(room, frame, review) if review else None
    if now is None or _state(one) != _state(drawn):
        st.rerun()  # closed, decided, or the evidence moved: that is to be seen before anything else
    st.html(f'<p class="tl-count" role="status">{text(now.text)}</p>')
    if one is not None:
        _quorum(now, one)


@st.fragment(run_every=2 * BEAT)
def _desk(frame: Frame, number: str, review: str) -> None:
    """The reader's own vote and the decision, as far as they are open now; coming and going."""
    room = session.room(watched=False)
    now = presence(room, review)
    one = _docket(room, frame, review) if review else None
    if now is None:
        return
    meeting_forms.answer()
    if one is not None:
        council.seats(one)
        council.conditions(one)
        meeting_forms.item(room, frame, one)
    meeting_forms.room(room, number, now)


def _state(one: Docket | None) -> tuple[str, ...]:
    """What must not change under a reader's eyes without the page saying so."""
    return () if one is None else (one.seen, one.phase, one.stands)


def _docket(room: Room, frame: Frame, review: str) -> Docket | None:
    """One item in full, measured when ledger or data have moved on since the last look."""
    readings = frame.runtime.readings
    generation = readings.store.held().generation
    asked = (room.state, generation, review, room.actor)
    held = st.session_state.get(_KEPT)
    if held is None or held[0] != asked:
        held = (asked, docket(room, frame.runtime, readings.pinned(), review))
        st.session_state[_KEPT] = held
    found = held[1]
    return found if isinstance(found, Docket) else None


def _quorum(now: Presence, one: Docket) -> None:
    """Members who are there and votes that were cast, each against the quorum, and a card for every seat."""
    votes, needed = one.quorum
    cards = "".join(
        f'<div class="{"tl-cast" if s.cast else ""}"><b>{text(s.name)}</b><span>{text(s.vote)}</span></div>'
        for s in one.seats
    )
    st.html(
        '<div class="tl-bars">'
        + _bar(now.members, needed, f"{now.members} of {needed} members present for the quorum")
        + _bar(votes, needed, f"{votes} of {needed} votes for the quorum")
        + f'</div><div class="tl-seats">{cards}</div><p class="tl-count">{text(one.tally)}.</p>'
    )


def _bar(filled: int, needed: int, label: str) -> str:
    full = min(filled, needed)
    parts = f'<i style="flex:{full};background:var(--tl-good)"></i>' if full else ""
    parts += f'<i style="flex:{needed - full};background:var(--tl-line)"></i>' if needed > full else ""
    return f'<div><div class="tl-tally" role="img" aria-label="{label}">{parts}</div><p class="tl-sub">{label}</p></div>'


def agenda(room: Room, board: Board) -> None:
    """Before a meeting: what is due, and the way to open one."""
    council.agenda(board, opens=False)
    meeting_forms.answer()
    meeting_forms.open_(room, board)


def past(found: Iterable[Past]) -> None:
    """Minutes of meetings that are over, to be taken away."""
    found = tuple(found)
    if not found:
        return
    tiles.heading("Minutes", "Told from the records of the ledger; under one hash with them.")
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            decisions = words.plural(one.decisions, "decision")
            st.html(
                f'<p class="tl-note"><b>{text(one.number)}</b> {text(one.title)}, closed {text(one.closed)},'
                f" {decisions}. SHA-256 {text(one.sha256[:16])}</p>"
            )
            st.download_button(
                f"Take away the minutes of {one.number}", one.text, f"minutes-{one.number}.md", "text/markdown",
                key=f"minutes-{one.number}", on_click="ignore",
            )  # fmt: skip


def on_now(room: Room, board: Board) -> Hall | None:
    """The meeting that is on."""
    return hall(room, board.agenda)
