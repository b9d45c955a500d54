"""Fairness: rates by protected attribute with intervals, gaps between groups, the four-fifths rule."""

import streamlit as st

from app.measure import words
from app.measure.fairness_cards import fairness_board
from app.ui import fairness, session, tiles

frame = session.frame()
board = fairness_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

fairness.lead(frame, board)
for card in board.cards:
    fairness.attribute(card)
