"""Publications: what the board saw, frozen; two of them side by side; and what became of one since."""

import streamlit as st

from app.ui import publications, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

publications.board(session.frame(), room)
