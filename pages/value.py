"""Value: studies by strength of evidence with their worth, then randomised differences by experiment."""

import streamlit as st

from app.measure import words
from app.measure.experiment_cards import value_board
from app.ui import session, studies, tiles, value

frame = session.frame()
portfolio = studies.board(frame.runtime)
board = value_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

value.lead(board)
with st.grid(2, min_column_width=340, gap="small"):
    for card in board.cards:
        value.card(frame, card)
