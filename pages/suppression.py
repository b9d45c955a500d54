"""Suppression: messages sent after a stop, by which way and how late; who is next; how stops travel; the law."""

import streamlit as st

from app.measure import words
from app.measure.suppression_cards import suppression_board
from app.ui import session, suppression, tiles

frame = suppression.choices(session.frame())
board = suppression_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

suppression.lead(frame, board)
needs = st.container()
suppression.where(board)
suppression.numbers(frame, board)
travel = st.container()
suppression.duties(frame)

# Asked of the warehouse, so last: the rest of the page stands while they are read.
with needs:
    suppression.at_risk(frame)
with travel:
    suppression.propagation(frame)
