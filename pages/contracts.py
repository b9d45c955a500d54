"""Contracts: what each table promises, who answers for it, and whether the warehouse keeps it today."""

import streamlit as st

from app.govern.views_contracts import contract_board
from app.ui import contracts, lead, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

board = contract_board(room, session.runtime())
lead.show(board.sentence, board.detail)
registers.needs(board.needs, "No contract is broken.")
contracts.table(board)
contracts.exchange(room, board)
registers.desk(room, "contracts")
