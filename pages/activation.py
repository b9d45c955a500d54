"""Activation: how much intelligence reaches a person in time, where the rest is lost, and on which days."""

import streamlit as st

from app.measure import words
from app.measure.activation_cards import activation_board
from app.ui import activation, session, tiles

frame = session.frame()
board = activation_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

activation.lead(frame, board)
activation.states(board)
activation.curves(board)
activation.trend(board)
activation.breakdowns(board)
