"""Scorecard: value and cost, the constraint, what needs a decision, then the four dimensions of tiles."""

import streamlit as st

from app.measure.scorecard import scorecard as board_of
from app.ui import scorecard, session, tiles, tour

room = session.look()
frame = scorecard.named(session.frame(), room)
about = scorecard.about(room)
everything = st.session_state.get("all", False)
board = board_of(frame, everything=everything, about=about)

scorecard.first_screen(frame, board, room, about)
tour.offer()
tiles.first_screen(frame, board)
tiles.columns(frame, board)
tiles.toggle(board)
