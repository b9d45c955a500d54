"""The Suppression page's parts."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.judged import Frame, Judged
from app.measure.suppression_cards import (
    CHOICES,
    Chosen,
    Crossings,
    SuppressionBoard,
    carrying,
    chosen,
    obligations,
    past_deadline,
    risk,
    standing,
    triggers,
)
from app.measure.suppression_cards import EVIDENCE as READ
from app.ui import cases, charts, charts_suppression, drawer, marks, tables, tiles
from app.ui.marks import text

LABELS = {
    "policy": ("A stop holds for", {"strict": "every channel", "industry": "industry scope"}),
    "identity": ("One person is", {"truth": "as known today", "known": "known when sent"}),
    "clock": ("A stop counts from", {"effective": "when said", "received": "when heard"}),
}
WIDTH = 171  # two beside each other on a phone of 390 px
DEEPEST = 45  # per cent of the accent in the cell with the most


def choices(frame: Frame) -> Chosen:
    """The three views as choices that live in the link; the first of each is the strictest, and the headline."""
    picked = []
    with st.container(horizontal=True, gap="small", key="scope-stops", vertical_alignment="bottom"):
        for setting in CHOICES:
            label, names = LABELS[setting.name]
            value = st.selectbox(
                label, setting.choices, format_func=names.__getitem__, key=setting.name, bind="query-params",
                persist_state="session", help=f"{setting.help}.".capitalize(), width=WIDTH,
            )  # fmt: skip
            picked.append((setting.name, value or setting.default))
    return chosen(frame, tuple(picked))


def lead(frame: Chosen, board: SuppressionBoard) -> None:
    """The sentence that matters, with its verdict and the rate's interval; opens the drawer."""
    about = f"{board.headline.metric.title} · {frame.days.words()}"
    with st.container(border=True, key="tile-stops", gap=None):
        st.html(
            f'<p class="tl-eyebrow">{text(about)} {marks.badge(board.headline)}</p>'
            f'<p class="tl-lead">{text(board.sentence)}</p><p class="tl-sub">{text(board.detail)}</p>'
        )
        if st.button("Open messages sent after a stop", key="open-stops", type="tertiary"):
            drawer.show(frame, board.headline)
    cases.draw(frame, board.headline.metric, "stops", frame.scope(board.headline.metric).settings)


def where(board: SuppressionBoard) -> None:
    """By which way the messages came, and how late."""
    wide, narrow = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch"):
        found = board.crossings
        st.html(f'<h2 class="tl-h">{text(found.finding)}</h2><p class="tl-note">{text(found.note)}</p>')
        if found.total:
            tables.show(_heat(found))
    with narrow.container(border=True, height="stretch"):
        charts.draw(charts_suppression.tiers(board), key="tiers")


def _heat(found: Crossings) -> tables.Table:
    """A heat map as a table: the theme's own ink on a tint of its accent, so that every number can be read."""
    most = max(max(row) for row in found.counts)
    head = (
        tables.Column("Said in, sent"),
        *(tables.Column(f"by {words.named(c)}", right=True) for c in found.sent),
    )
    rows = tuple(
        (text(words.named(said)), *(_cell(n, most) for n in row))
        for said, row in zip(found.said, found.counts, strict=True)
    )
    return tables.Table(f"Violations by channel pair. {found.finding}.", head, rows)


def _cell(n: int, most: int) -> str:
    tint = round(DEEPEST * n / most)
    shape = "display:block;text-align:center;padding:0.45rem;border-radius:4px"
    style = f"{shape};background:color-mix(in srgb, var(--tl-accent) {tint}%, transparent)"
    return f'<span style="{style}">{words.count(n)}</span>'


def numbers(frame: Chosen, board: SuppressionBoard) -> None:
    """The measures of conduct as tiles."""
    tiles.heading("How stops are carried, obeyed and proven")
    with st.grid(tiles.SLOTS, min_column_width=tiles.TILE_WIDTH, gap="small"):
        for tile in board.tiles:
            tiles.draw(frame, tile)


def at_risk(frame: Chosen) -> None:
    """The action list: who would be disturbed next."""
    with st.spinner("Asking the warehouse who is at risk"):
        found = risk(frame)
    with st.container(border=True, gap="small"):
        parts = [f"{_count(j)}: {what}" for what, j in found.kinds if j.reading.value is not None]
        reached = f"{_count(found.affected)} were reached after their stop in this period"
        st.html(
            f'<p class="tl-eyebrow">Needs somebody</p><p class="tl-lead">{text(_next(found.any))}</p>'
            f'<p class="tl-sub">{text("; ".join([*parts, reached]))}.</p>'
        )
        cases.draw(
            standing(frame), found.any.metric, "risk", standing(frame).scope(found.any.metric).settings
        )


def _next(one: Judged) -> str:
    if one.reading.value is None:
        return words.sentence(one.reading.reason)
    n = round(one.reading.value)
    if n == 0:
        return "Nobody under a stop can be reached unheard."
    return f"{words.plural(n, 'person', 'persons')} of {words.count(one.reading.n)} under a stop could be disturbed next."


def _count(one: Judged) -> str:
    return (
        words.DASH
        if one.reading.value is None
        else words.plural(round(one.reading.value), "person", "persons")
    )


def propagation(frame: Chosen) -> None:
    """How long a stop takes to reach each channel."""
    with st.spinner("Asking the warehouse how stops travel"):
        found = carrying(frame)
    tiles.heading("How a stop travels")
    with st.container(border=True):
        charts.draw(charts_suppression.propagation(found), key="propagation")
        with st.expander("Medians by channel"):
            rows = tuple(
                (text(c.channel), *tables.number_cells(c.median.metric, c.median.reading)) for c in found
            )
            tables.show(
                tables.Table(
                    "Median time to obey by channel", (tables.Column("Channel"), *tables.NUMBERS), rows
                )
            )


def duties(frame: Chosen) -> None:
    """Obligations with their source, the deadline of a stop heard today, and when the rule is to be reviewed."""
    day = frame.moment.date()
    found, late = obligations(day), past_deadline(frame)
    tiles.heading("Obligations and deadlines", "Dated data with a source; not legal advice.")
    if late:
        where_ = "; ".join(f"{words.count(n)} in {j}" for j, n in late)
        st.html(
            f'<p class="tl-sub">Violations past a legal deadline by recorded jurisdiction: {text(where_)}.</p>'
        )
    overdue = [row.rule.id for row in found if row.overdue]
    if overdue:
        st.html(f'<p class="tl-warn">{text("Past their review date: " + ", ".join(overdue))}</p>')
    with st.expander(f"{words.plural(len(found), 'legal rule')} in force"):
        names = ("Rule", "Where", "After", "Given", "A stop heard today is obeyed by", "Source", "Review by")
        rows = [
            (r.rule.title, r.jurisdiction, triggers(r.rule.triggers), r.given, r.until,
             f"{r.rule.source} ({READ[r.rule.evidence]})", words.date(r.rule.review_by))
            for r in found
        ]  # fmt: skip
        tables.show(tables.plain("Legal obligations", [tables.Column(n) for n in names], rows))
