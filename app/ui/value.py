"""The Value page's parts."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.experiment_cards import ExperimentCard, ValueBoard
from app.measure.judged import Frame, Judged
from app.ui import charts, charts_groups, drawer, marks, tables, tiles
from app.ui.marks import label, text
from metrics.core.persistence import Course


def lead(board: ValueBoard) -> None:
    """The sentence that matters and all experiments on one scale."""
    with st.container(border=True, gap="small"):
        st.html(
            f'<p class="tl-eyebrow">What was caused</p><p class="tl-lead">{text(board.sentence)}</p>'
            '<p class="tl-sub">Only randomised differences stand here: what would have come anyway is taken off.</p>'
        )
        charts.draw(charts_groups.effects(board.cards), key="effects")


def card(frame: Frame, one: ExperimentCard) -> None:
    """One experiment: its claim, its evidence, its figures."""
    name = tiles.slug(f"{one.experiment}-{one.arm}")
    with st.container(border=True, height="stretch", gap="small"):
        with st.container(key=f"tile-value-{name}", gap=None):
            badge = _aim(one.effect)
            st.html(
                f'<p class="tl-eyebrow"><b>{text(one.name)}</b> · evidence: {text(one.evidence)} {badge}</p>'
                f'<p class="tl-lead tl-small">{text(one.sentence)}</p><p class="tl-sub">{text(one.detail)}</p>'
                f"{_lasts(one)}"
            )
            if st.button(f"Open {label(one.name)}", key=f"open-value-{name}", type="tertiary"):
                drawer.show(frame, one.effect)
        for warning in one.warnings if one.broken else ():
            st.html(f'<p class="tl-warn">{text(warning)}</p>')
        with st.expander("Figures"):
            tables.show(_figures(one))


def _lasts(one: ExperimentCard) -> str:
    """Whether the effect lasts, where enough cohorts say so."""
    if one.lasts is None:
        return ""
    tone = " tl-bad" if one.lasts.course is Course.FADING else ""
    return f'<p class="tl-sub{tone}">{text(one.lasts.sentence)}</p>'


def _aim(effect: Judged) -> str:
    """The target and how the effect stands to it; nothing without a target."""
    target = effect.verdict.target
    return (
        f" · target {text(words.target_words(effect.metric, target))} {marks.badge(effect)}" if target else ""
    )


def _figures(one: ExperimentCard) -> tables.Table:
    rows = [(text(j.metric.title), *tables.number_cells(j.metric, j.reading)) for j in one.rows]
    rows += [
        (
            text(f"{j.metric.title}: {dict(j.reading.by).get('arm')}"),
            *tables.number_cells(j.metric, j.reading),
        )
        for j in one.arms
    ]
    return tables.Table(f"Figures of {one.name}", (tables.Column("Measure"), *tables.NUMBERS), tuple(rows))
