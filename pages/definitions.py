"""Definitions: every number printed from the registry, searchable, with its SQL for each engine."""

import streamlit as st

from app.measure.dictionary import chapters
from app.ui import glossary, session, tiles

runtime = session.runtime()
wanted, dialect = glossary.search(runtime)
found = chapters(wanted)

if not found:
    tiles.empty(
        "No definition has these words", "Try fewer or other words; every number of the product is here."
    )
    st.stop()

for chapter in found:
    glossary.chapter(runtime, chapter, dialect)

if not wanted:
    glossary.words()
