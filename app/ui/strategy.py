"""The strategy map, drawn: what should move what, and how they moved together so far."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.judged import Frame
from app.measure.strategy import Link, Node, StrategyMap, columns
from app.ui import drawer, marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.terms import explained
from app.ui.theme import verdict_class
from metrics.core.verdict import State

_KEPT = {True: State.MET, False: State.NOT_MET, None: State.INCONCLUSIVE}
_WORDS = {True: "as hoped", False: "against it", None: "not clear"}


def lead(found: StrategyMap) -> None:
    """The map in one sentence."""
    with st.container(border=True):
        st.html(
            f'<p class="tl-eyebrow">From learning to business</p><p class="tl-lead">{text(found.sentence)}</p>'
            f'<p class="tl-sub">{explained("Association, not cause.")} Measured week by week on changes, not levels; about one'
            " link in twenty would look clear by chance alone. What caused what is on the Value page.</p>"
        )


def board(frame: Frame, found: StrategyMap) -> None:
    """The numbers of the map by dimension, from what is learned to what it is worth."""
    shown = columns(found)
    for place, (title, nodes) in zip(st.columns(max(len(shown), 1), gap="small"), shown, strict=False):
        with place:
            st.html(f'<h2 class="tl-h">{text(title)}</h2>')
            for node in nodes:
                _node(frame, found, node)


def _node(frame: Frame, found: StrategyMap, node: Node) -> None:
    value = words.shown(node.one.metric, node.one.reading)
    names = (
        f"{link.effect[0].lower()}{link.effect[1:]}" for link in found.links if link.promise.cause == node.key
    )
    goes = tuple(dict.fromkeys(names))
    onto = f'<div class="tl-range">should move: {text(words.listed(goes))}</div>' if goes else ""
    name = tiles.slug(node.key)
    with st.container(border=True, key=f"tile-map-{name}", gap=None):
        st.html(
            f'<div class="tl-name">{text(node.title)}</div><div class="tl-whose">{text(node.one.subject)}</div>'
            f'<div class="tl-top"><span class="tl-node">{text(value.value)}</span>{marks.badge(node.one)}</div>{onto}'
        )
        if st.button(f"Open {node.title}", key=f"open-map-{name}", type="tertiary"):
            drawer.show(frame, node.one)


def links(found: StrategyMap) -> None:
    """Every link with its association and interval; those that cannot be told yet behind a fold."""
    known = [link for link in found.links if link.measured.value is not None]
    unknown = [link for link in found.links if link.measured.value is None]
    tiles.heading("How they moved together", "Rank correlation of weekly changes with its 95 % interval.")
    if known:
        ordered = sorted(known, key=lambda link: (link.kept is None, -abs(link.measured.value or 0.0)))
        tables.show(_table("Links of the strategy", ordered))
    if unknown:
        with st.expander(f"{words.plural(len(unknown), 'link')} not known yet"):
            tables.show(_table("Links not known yet", unknown))


def _table(alt: str, found: list[Link]) -> Table:
    columns = (
        Column("Should move"), Column("What"), Column("Whose"), Column("Association", right=True),
        Column("95 % interval", right=True), Column("Weeks", right=True), Column("So far"), Column("Why it should"),
    )  # fmt: skip
    return Table(alt, columns, tuple(_line(link) for link in found))


def _line(link: Link) -> tuple[str, ...]:
    m = link.measured
    state = State.NO_DATA if m.value is None else _KEPT[link.kept]
    word = "not known" if m.value is None else _WORDS[link.kept]
    badge = f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{word}</span>'
    value = words.DASH if m.value is None else _two(m.value)
    interval = text(m.reason) if m.low is None or m.high is None else f"{_two(m.low)} to {_two(m.high)}"
    subject = text(link.subject or "all")
    return (
        text(link.cause),
        text(link.effect),
        subject,
        value,
        interval,
        str(m.n),
        badge,
        text(link.promise.why),
    )


def _two(value: float) -> str:
    return words.formatted(value, "+.2f")
