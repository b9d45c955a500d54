"""Audit trail: who did what and when, what was refused, and the proof that nothing was altered since."""

import streamlit as st

from app.govern.views_audit import audit_board
from app.ui import audit, lead, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

asked = audit.ask()
board = audit_board(room, asked)
lead.show(board.sentence, "Nothing here is changed or deleted; a correction is a new entry.")
audit.verification(room)
audit.trail(board)
