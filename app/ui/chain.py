"""The parts of the page "Where value is lost"."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.chain_cards import TARGETS, ChainBoard, Closing, closings
from app.measure.judged import Judged
from app.ui import charts, charts_chain, tables
from app.ui.marks import label, text
from app.ui.terms import explained
from metrics._chain_line import NAMES
from metrics.core.intervals import Interval


def lead(board: ChainBoard) -> None:
    """The constraint in one sentence."""
    with st.container(border=True, gap=None):
        st.html(
            f'<p class="tl-eyebrow">{explained("The constraint")}</p><p class="tl-lead">{explained(board.sentence)}</p>'
            f'<p class="tl-sub">{explained(board.detail)}</p>'
        )


def waterfalls(board: ChainBoard) -> None:
    """The same chain in money and in signals."""
    with st.grid(2, min_column_width=340, gap="small"):
        with st.container(border=True, height="stretch"):
            charts.draw(charts_chain.money(board.steps, measured=board.measured), key="chain-money")
            if board.beside:
                named = label(words.listed(board.beside, 4))
                st.caption(
                    f"Not in these bars: {named}, whose value is only claimed. Claimed money is never added to measured."
                )
        with st.container(border=True, height="stretch"):
            charts.draw(charts_chain.signals(board.steps), key="chain-signals")
            if board.converted is not None:
                shown = words.shown(board.converted.metric, board.converted.reading)
                st.caption(
                    f"Of the reached, {shown.value} converted ({shown.interval or board.converted.reading.reason}). The "
                    "money of a reached signal is an average over those who do and those who do not."
                )
    with st.expander("Figures of the waterfall"):
        columns = (
            tables.Column("Link"),
            *(tables.Column(n, right=True) for n in ("Signals", "Money", "95 % interval")),
        )
        rows = [(s.name, words.count(s.n) if s.n else "", *_interval(s.money)) for s in board.steps]
        tables.show(tables.plain("Signals and money at each link", columns, rows))


def _interval(money: Interval) -> tuple[str, str]:
    width = money.high - money.low
    if not width:
        return words.compact(money.value), ""
    low, high = (words.compact(v, width) for v in (money.low, money.high))
    return words.compact(money.value, width), f"{low} to {high}"


def what_if(board: ChainBoard) -> None:
    """What returns when one link is closed to a target and all others stay as they are."""
    if board.chain is None:
        return
    with st.container(border=True, gap="small"):
        st.html('<h2 class="tl-h">What if one link were closed?</h2>')
        left = st.radio(
            "A link may still lose", TARGETS, format_func=lambda v: f"{100 * v:.0f} % of what comes" if v else "nothing",
            horizontal=True, key="chain-left",
        )  # fmt: skip
        names = ("Signals lost", "Of what comes to it", "Money lost there", "Returns", "95 % interval")
        columns = (tables.Column("Link"), *(tables.Column(n, right=True) for n in names))
        rows = [_closing(one) for one in closings(board.chain, float(left))]
        tables.show(tables.plain("What closing each link returns", columns, rows))
        st.caption(
            "A recovered signal still has to pass the later links, so less returns than was lost. Returns do not add up."
        )


def _closing(one: Closing) -> tuple[str, ...]:
    share = words.DASH if one.share is None else f"{words.formatted(100 * one.share, '.1f')}{words.NBSP}%"
    return NAMES[one.link], words.count(one.n), share, words.compact(one.lost.value), *_interval(one.returns)


def figures(board: ChainBoard) -> None:
    """The readings behind the page, the worth of a reached signal by model, and the yield of each channel."""
    with st.grid(2, min_column_width=340, gap="small"):
        with st.container(border=True, height="stretch"):
            st.html('<h2 class="tl-h">What a reached signal is worth</h2>')
            _table("Worth of a reached signal by model", "Model", board.worths)
        with st.container(border=True, height="stretch"):
            st.html('<h2 class="tl-h">Signals that reached their person, by channel</h2>')
            _table("Yield by channel", "Channel", board.channels)
    with st.expander("All figures of the chain"):
        columns = (tables.Column("Measure"), *tables.NUMBERS)
        rows = tuple((text(j.metric.title), *tables.number_cells(j.metric, j.reading)) for j in board.figures)
        tables.show(tables.Table("Figures of the chain", columns, rows))


def _table(alt: str, first: str, found: tuple[Judged, ...]) -> None:
    columns = (tables.Column(first), *tables.NUMBERS)
    rows = tuple((text(j.subject or "all"), *tables.number_cells(j.metric, j.reading)) for j in found)
    tables.show(tables.Table(alt, columns, rows))
