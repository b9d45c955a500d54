"""Rows of sentences: models and experiments as an executive reads them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.measure import words
from app.measure.judged import Judged
from app.measure.model_cards import ModelLine
from app.ui import marks, tiles
from app.ui.marks import text
from app.ui.session import MODEL

NO_NOTES: Mapping[str, tuple[str, ...]] = {}


def models(
    lines: tuple[ModelLine, ...], chosen: str, notes: Mapping[str, tuple[str, ...]] = NO_NOTES
) -> None:
    """One card a model: what its flags are worth, how it ranks, what it may do, its figures. A click looks closer."""
    for line in lines:
        name = tiles.slug(line.model)
        with st.container(border=True, key=f"tile-model-{name}", gap=None):
            mark = " · shown below" if line.model == chosen else ""
            st.html(
                f'<div class="tl-card"><div><p class="tl-eyebrow">{text(line.model)}{mark} {marks.badge(line.worst)}'
                f"{_why(line.worst)}</p>"
                f'<p class="tl-lead">{text(line.sentence)}</p><p class="tl-sub">{text(line.detail)}</p>'
                f"{_notes(notes.get(line.model, ()))}</div>"
                f'<dl class="tl-facts">{"".join(_fact(f) for f in line.facts)}</dl></div>'
            )
            st.button(
                f"Look closer at {line.model}", key=f"open-model-{name}", type="tertiary", on_click=_choose,
                args=(line.model,),
            )  # fmt: skip


def _notes(found: tuple[str, ...]) -> str:
    return "".join(f'<p class="tl-sub">{text(note)}</p>' for note in found)


def _choose(name: str) -> None:
    st.session_state[MODEL] = name


def _why(worst: Judged) -> str:
    return f" {text(worst.metric.title)}" if worst.has_target and not worst.verdict.passes else ""


def _fact(one: Judged) -> str:
    shown = words.shown(one.metric, one.reading)
    return f"<div><dt>{text(_short(one.metric.title))}</dt><dd>{text(shown.value)}</dd></div>"


def _short(title: str) -> str:
    """The technical name where the title carries a plain one in brackets: precision, recall."""
    name, _, inner = title.partition(" (")
    return inner.rstrip(")").capitalize() if inner and not inner.startswith("AUC") else name
