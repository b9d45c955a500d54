"""Models: one line a model in executive words with what it may do, then the curves and the analyst's view of the one chosen."""

import streamlit as st

from app.govern.model_notes import model_notes
from app.measure.model_analysis import model_analysis
from app.measure.model_cards import model_detail, model_lines
from app.ui import charts_model, lines, models, session, tiles

frame = session.frame()
found = model_lines(frame)

if not found:
    tiles.empty("No model to show", "Load predictions (and labels for realised figures), then run refresh.")
    st.stop()

chosen = frame.view.model or found[0].model
lines.models(found, chosen, model_notes(session.room(), frame, found))
tiles.heading(f"Closer: {chosen}", "Realised figures use predictions whose outcome is known.")
charts_model.draw_all(model_detail(frame, chosen))
models.analysis(model_analysis(frame, chosen))
models.restate(frame, chosen)
