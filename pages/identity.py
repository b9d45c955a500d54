"""Identity: are records resolved into the right persons, and what does a wrong link do to a stop."""

import streamlit as st

from app.measure import words
from app.measure.identity_cards import identity_board
from app.ui import identity, session, tiles

frame = session.frame()
with st.spinner("Asking the warehouse who is one person"):
    board = identity_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

identity.lead(frame, board)
identity.traces(frame, board)
identity.against_truth(board)
