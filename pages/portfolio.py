"""The portfolio: every initiative in one line, the balance of horizon and risk, pilots that outlived their promise."""

import streamlit as st

from app.govern.views_figures import PORTFOLIO, figures
from app.govern.views_portfolio import portfolio_board
from app.ui import figures as parts
from app.ui import lead, portfolio, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

frame = session.frame()
board = portfolio_board(room, frame, portfolio.wanted())
lead.show(board.sentence, board.detail)
parts.show(frame, figures(frame, PORTFOLIO))
portfolio.find(board)
portfolio.lines(board)
portfolio.balance(board)
portfolio.pilots(board)
portfolio.evidence(board, frame)
