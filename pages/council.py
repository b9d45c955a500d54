"""Council: what is on the agenda, one item's evidence then and now, its votes and decision, and how past decisions kept."""

import streamlit as st

from app.govern.views_gates import council_board
from app.ui import council, council_forms, lead, pack, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

frame = session.frame()
board = council_board(room, frame.runtime, frame.readings)
lead.show(board.sentence, board.detail)
council.agenda(board)
chosen = council.choose(board)
if chosen:
    council_forms.item(room, frame, chosen)
council_forms.ask(room, frame)
council.past(board)
pack.show(room, frame)
