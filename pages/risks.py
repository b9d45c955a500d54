"""Risks: what needs me, where ratings stand and move, what is measured beside them, what is accepted until when."""

import streamlit as st

from app.govern.views_risks import risk_board
from app.ui import lead, registers, risks, session

room = session.room()
if not registers.entrance(room):
    st.stop()

board = risk_board(room, session.frame().readings)
lead.show(board.sentence, board.detail)
registers.needs(board.needs, "No rating, acceptance or review asks for anybody.")
risks.heat(board)
risks.register(board)
risks.acceptances(board)
registers.tabs(room, board.registers)
