"""Baselines: what was before AI, which files say so, who approved them, and what relies on them."""

import streamlit as st

from app.govern.views_baselines import baseline_board
from app.ui import baselines, lead, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

board = baseline_board(room)
lead.show(board.sentence, board.detail)
registers.needs(board.needs, "No baseline waits for anybody.")
baselines.table(board)
baselines.records(room)
baselines.entry(room, board, session.runtime())
