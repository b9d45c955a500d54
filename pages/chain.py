"""Where value is lost: the waterfall from potential to net value, its constraint, and what closing a link returns."""

import streamlit as st

from app.measure import words
from app.measure.chain_cards import chain_board
from app.ui import chain, session, tiles

frame = session.frame()
board = chain_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

chain.lead(board)
chain.waterfalls(board)
chain.what_if(board)
chain.figures(board)
