"""Entry of the app: path line, scope bar, navigation. Started by `python -m app serve`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path[0] != str(ROOT):
    sys.path.insert(0, str(ROOT))  # Streamlit puts app/ first, where no package of ours lives

import streamlit as st  # noqa: E402

from app.measure.scope import describe, ground  # noqa: E402
from app.ui import nav, scopebar, session, share, signin, tables, theme  # noqa: E402
from app.ui.scopebar import Control  # noqa: E402

# Before navigation: otherwise the browser asks a font host for the page's icon.
st.set_page_config(
    page_title="Throughline", page_icon=str(ROOT / "app" / "static" / "icon.png"), layout="wide"
)

EVERYTHING = (Control.INITIATIVE, Control.MODEL, Control.EXPERIMENT, Control.PERIOD, Control.AS_OF)
ABOUT_MODELS = (Control.MODEL, Control.PERIOD, Control.AS_OF)
ABOUT_DAYS = (Control.PERIOD, Control.AS_OF)
ABOUT_TRIALS = (Control.EXPERIMENT, Control.AS_OF)
SECTIONS = {
    "Measure": (
        ("Scorecard", "scorecard", EVERYTHING),
        ("Where value is lost", "chain", ABOUT_MODELS),
        ("Early warning", "early", ABOUT_MODELS),
        ("Strategy map", "strategy", ABOUT_MODELS),
        ("Models", "models", ABOUT_MODELS),
        ("Fairness", "fairness", ABOUT_MODELS),
        ("Generated text", "generated", ABOUT_MODELS),
        ("Activation", "activation", ABOUT_MODELS),
        ("Suppression", "suppression", ABOUT_DAYS),
        ("Identity", "identity", ABOUT_DAYS),
        ("Value", "value", ABOUT_TRIALS),
    ),
    "Govern": (
        ("Portfolio", "portfolio", ()),
        ("Initiatives", "initiatives", ()),
        ("Ownership", "ownership", ()),
        ("Risks", "risks", ()),
        ("Council", "council", ()),
        ("Meeting", "meeting", ()),
        ("Baselines", "baselines", ()),
        ("Contracts", "contracts", ()),
        ("Publications", "publications", ()),
        ("Audit trail", "audit", ()),
    ),
    "About": (
        ("Definitions", "definitions", ()),
        ("Data health", "health", ()),
    ),
}  # fmt: skip
PAGES = tuple(entry for section in SECTIONS.values() for entry in section)

pages = {
    section: [
        nav.page(ROOT / "pages" / f"{name}.py", title, first=name == share.FIRST)
        for title, name, _ in entries
    ]
    for section, entries in SECTIONS.items()
}
page = st.navigation(pages, position="top")
st.html(f"<style>{theme.css()}{theme.floating(st.context.theme.type)}</style>")
nav.phone(pages, page)

if not signin.passed():
    st.stop()

tables.begin()
readings = session.runtime().readings.pinned()
on = ground(readings)
controls = {title: shown for title, _, shown in PAGES}[page.title]
heading = st.container(
    horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute", key="heading"
)
initiatives = session.initiatives() if Control.INITIATIVE in controls else {}
scopebar.show(controls, on, initiatives)
governs = page.title in {title for title, _, _ in SECTIONS["Govern"]}
if governs:
    session.pick_persona()
with heading:
    frame = session.begin(on, readings)
    about = (Control.MODEL in controls, Control.EXPERIMENT in controls)
    said = describe(readings, frame.view, frame.days, models=about[0], trials=about[1])
    chosen = initiatives.get(str(st.session_state.get(scopebar.INITIATIVE) or ""))
    said = said.replace("all models", chosen, 1) if chosen else said
    scopebar.path_line(page.title, "The ledger as it stands now" if governs else said)
    share.popover(frame, page.url_path or share.FIRST, frozenset(name for _, name, _ in PAGES))
if frame.view.as_of and not governs:
    with st.spinner("Reading the warehouse as it was known then"):
        page.run()
else:
    page.run()
