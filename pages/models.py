"""Models: one line a model in executive words, then the curves of the one chosen."""

import streamlit as st

from app.measure.model_cards import model_detail, model_lines
from app.ui import charts_model, lines, session, tiles

frame = session.frame()
found = model_lines(frame)

if not found:
    tiles.empty("No model to show", "Load predictions (and labels for realised figures), then run refresh.")
    st.stop()

chosen = frame.view.model or found[0].model
lines.models(found, chosen)
tiles.heading(f"Closer: {chosen}", "Realised figures use predictions whose outcome is known.")
charts_model.draw_all(model_detail(frame, chosen))
