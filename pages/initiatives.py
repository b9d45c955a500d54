"""Initiatives: what is built and which business hypothesis it tests; what needs me first, then the list and one in full."""

import streamlit as st

from app.govern.model_card import claims
from app.govern.views_initiatives import initiative_board
from app.ui import cards, evidence, initiatives, lead, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

board = initiative_board(room)
lead.show(board.sentence, board.detail)
registers.needs(board.needs, "Every initiative has an owner, and no review is overdue.")
initiatives.cards(board)
cards.claims(claims(room, session.frame().readings))
registers.tabs(room, board.registers)
evidence.exchange(room, session.runtime().settings)
