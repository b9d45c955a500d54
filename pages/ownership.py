"""Ownership: who answers for what, who is missing, which reviews are overdue."""

import streamlit as st

from app.govern.views_figures import OWNERSHIP, figures
from app.govern.views_ownership import ownership_board
from app.ui import figures as parts
from app.ui import lead, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

board = ownership_board(room)
lead.show(board.sentence, board.detail)
registers.needs(board.needs, "Everything has an owner, and no review is overdue.")
parts.show(session.frame(), figures(session.frame(), OWNERSHIP))
registers.tabs(room, board.registers)
