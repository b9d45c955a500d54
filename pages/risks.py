"""Risks: what needs me, where ratings stand and move, what is measured beside them, what is accepted until when."""

import streamlit as st

from app.govern.views_figures import RISK, figures
from app.govern.views_risks import risk_board
from app.ui import figures as parts
from app.ui import lead, registers, risks, session

room = session.room()
if not registers.entrance(room):
    st.stop()

board = risk_board(room, session.frame().readings, risks.wanted())
lead.show(board.sentence, board.detail)
registers.needs(board.needs, "No rating, acceptance or review asks for anybody.")
parts.show(session.frame(), figures(session.frame(), RISK))
risks.heat(board)
risks.find()
risks.register(board)
risks.acceptances(board)
registers.tabs(room, board.registers)
