"""Generated text: how many answers hold up, told by people, and what a judge model adds once it is judged itself."""

import streamlit as st

from app.govern.automation import mandate
from app.measure import words
from app.measure.generated_cards import generated_board
from app.ui import figures, generated, session, tiles

frame = session.frame()
board = generated_board(frame)

if board.missing:
    tiles.empty(board.sentence, words.sentence(board.missing))
    st.stop()

generated.lead(frame, board, mandate(session.room(), frame, board.model).sentence)
tiles.heading("As people found it", "Every rate is of answers that people read, each by its sampling weight.")
figures.show(frame, board.tiles)
tiles.heading(
    "With the judge",
    "A judge's own word is never a headline: beside it stands what people say.",
)
generated.rubrics(board.rubrics)
