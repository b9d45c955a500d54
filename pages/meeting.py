"""Meeting: the council's agenda on a projector, one item at a time; votes come in from everybody's own browser."""

import streamlit as st

from app.govern.views_gates import council_board
from app.govern.views_meeting import past
from app.ui import lead, meeting, registers, session

room = session.room()
if not registers.entrance(room):
    st.stop()

frame = session.frame()
board = council_board(room, frame.runtime, frame.readings)
on = meeting.on_now(room, board)
if on is None:
    lead.show(board.sentence, board.detail)
    meeting.agenda(room, board)
    meeting.past(past(room))
else:
    meeting.steer(on)
    meeting.slide(room, frame, on)
