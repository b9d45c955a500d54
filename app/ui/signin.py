"""The door in production: sign in, be told who to ask for a role, or go on; and the way out."""

from __future__ import annotations

import streamlit as st

from app.govern.views import Room
from app.ui import session, tiles
from app.ui.marks import text


def passed() -> bool:
    """Whether the reader may see any page: everybody in a demo, in production who is signed in and has a role."""
    if not session.production():
        return True
    room = session.room()
    if room.actor is None:
        _ask()
        return False
    _who(room)
    if room.roles:
        return True
    tiles.empty(
        "You have no role here.",
        f"Ask an administrator to grant one to {room.actor.identity}. Nothing was read.",
    )
    return False


def _ask() -> None:
    with st.container(border=True, key="sign-in"):
        st.html(
            '<p class="tl-eyebrow">Throughline</p><p class="tl-lead">Nobody is signed in.</p>'
            '<p class="tl-sub">Sign in with your organisation. What you may see and do is decided here, by your role.</p>'
        )
        st.button("Sign in", type="primary", on_click=st.login, key="sign-in-go")


def _who(room: Room) -> None:
    with st.container(horizontal=True, key="signed-in", vertical_alignment="center"):
        name = room.name(room.actor.identity) if room.actor else ""
        st.html(f'<p class="tl-note">Signed in as {text(name)}</p>')
        st.button("Sign out", type="tertiary", on_click=st.logout, key="sign-out")
