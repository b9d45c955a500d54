"""The page of the portfolio, drawn: the list, the balance of horizon and risk, pilots, and one initiative's readiness."""

from __future__ import annotations

import streamlit as st

from app.govern.views_pilots import Pilot
from app.govern.views_portfolio import LEVELS, NOBODY, Balance, Line, PortfolioBoard
from app.govern.views_portfolio_numbers import Posture
from app.govern.views_readiness import Proof, readiness
from app.measure import words
from app.measure.judged import Frame
from app.ui import charts, charts_portfolio, marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table

FIND = "find_initiatives"
ONE = "readiness_of"


def wanted() -> str:
    """The words a reader is looking for, as the box of the page holds them."""
    return str(st.session_state.get(FIND) or "")


def find(board: PortfolioBoard) -> None:
    """The box over the list; a portfolio of a handful needs none."""
    st.text_input(
        "Find initiatives", key=FIND, width=380,
        placeholder="Words of title, stage, owner, gate, or of what it asks for",
    )  # fmt: skip
    if board.total and not board.lines:
        tiles.empty("No initiative has these words.", "Try fewer or other words.")


def lines(board: PortfolioBoard) -> None:
    """One line an initiative, those that ask for somebody first."""
    if not board.lines:
        return
    if len(board.lines) < board.total:
        st.html(
            f'<p class="tl-note">{words.count(len(board.lines))} of {words.count(board.total)} initiatives have these words</p>'
        )
    columns = (
        Column("Initiative"), Column("Stage"), Column("Answers for it"), Column("Acceptable error"),
        Column("Highest risk", right=True), Column("Evidence"), Column("ROI", right=True), Column("Where most is lost"),
        Column("Next gate"), Column("Asks for somebody"),
    )  # fmt: skip
    tables.show(Table("The portfolio", columns, tuple(_line(x) for x in board.lines)))


def _line(one: Line) -> tuple[str, ...]:
    owner = f'<b class="tl-bad">{text(one.owner)}</b>' if one.owner == NOBODY else text(one.owner)
    asks = f'<b class="tl-bad">{text("; ".join(one.asks))}</b>' if one.asks else words.DASH
    return (
        f'<b>{text(one.title)}</b><br><span class="tl-sub">{text(one.tier)}</span>',
        f'{text(one.stage)}<br><span class="tl-sub">{text(one.horizon.lower())}</span>', owner, _posture(one.posture),
        words.DASH if one.risk is None else f"{one.risk} of 25", text(one.grade), text(one.roi), text(one.constraint),
        f'{text(one.gate)}<br><span class="tl-sub">{text(one.waits)}</span>', asks,
    )  # fmt: skip


def _posture(one: Posture | None) -> str:
    if one is None:
        return "not declared"
    said = f'<span class="tl-sub">{text(one.declared)}</span>'
    return f"{marks.badge(one.judged)}<br>{said}" if one.judged else f"not measured<br>{said}"


def balance(board: PortfolioBoard) -> None:
    """Horizon against risk, in initiatives, with the money that each horizon takes."""
    if not board.total:
        return
    tiles.heading(
        "Balance of horizon and risk", "Initiatives by their highest rating today, likelihood times impact."
    )
    numbers = tuple(
        Column(f"Risk {name}" if name[0].isdigit() or name[0] == "u" else name, right=True) for name in LEVELS
    )
    columns = (
        Column("Horizon"),
        *numbers,
        Column("All", right=True),
        Column("Spent", right=True),
        Column("Of all", right=True),
    )
    tables.show(Table("Balance of horizon and risk", columns, tuple(_balance(b) for b in board.balance)))


def _balance(one: Balance) -> tuple[str, ...]:
    counts = tuple(str(n) if n else words.DASH for n in one.counts)
    share = words.DASH if one.share is None else f"{100 * one.share:.0f}{words.NBSP}%"
    name = f'<b>{text(one.horizon)}</b><br><span class="tl-sub">{text(one.stages)}</span>'
    return (name, *counts, str(sum(one.counts)), words.compact(one.spent) if one.spent else words.DASH, share)


def pilots(board: PortfolioBoard) -> None:
    """Pilots that still run beside the curve of those that got through."""
    found = board.pilots
    tiles.heading(
        "Pilots",
        "A pilot is a trap when it is older than its promise or, without one, than half of the pilots need.",
    )
    with st.grid(2, min_column_width=340, gap="small"):
        with st.container(border=True, height="stretch"):
            charts.draw(charts_portfolio.production(found.curve), key="pilots-curve")
        with st.container(border=True, height="stretch"):
            if not found.running:
                tiles.empty(
                    "No pilot is running.", "Pilots are events pilot_started of the table delivery_events."
                )
                return
            columns = (
                Column("Pilot"), Column("Answers for it"), Column("Age", right=True), Column("Production promised"),
                Column("Trap"),
            )  # fmt: skip
            tables.show(Table("Pilots that still run", columns, tuple(_pilot(p) for p in found.running)))


def _pilot(one: Pilot) -> tuple[str, ...]:
    trap = f'<b class="tl-bad">{text(one.trap)}</b>' if one.trap else words.DASH
    return (
        f"<b>{text(one.title)}</b>",
        text(one.owner),
        text(words.plural(one.age, "day")),
        text(one.promised),
        trap,
    )


def evidence(board: PortfolioBoard, frame: Frame) -> None:
    """Readiness of one initiative, item by item, with the record that shows it."""
    names = {x.record_id: x.title for x in board.lines}
    if not names:
        return
    tiles.heading(
        "Readiness from evidence", "Observed, inferred or absent; nobody is asked how ready they feel."
    )
    with st.container(border=True):
        chosen = st.selectbox(
            "Initiative", list(names), format_func=lambda n: names.get(n, n), key=ONE, width=380
        )
        found = readiness(frame, str(chosen))
        st.html(f'<p class="tl-note">{text(found.sentence)}</p>')
        columns = (
            Column("Pillar"),
            Column("Item"),
            Column("Evidence is"),
            Column("Record"),
            Column("Observed when"),
        )
        tables.show(Table("Items of readiness", columns, tuple(_proof(p) for p in found.proofs)))


def _proof(one: Proof) -> tuple[str, ...]:
    shape = {"observed": "●", "inferred": "◐", "absent": "○"}[one.basis]
    return (
        text(one.pillar),
        f"<b>{text(one.item)}</b>",
        f"{shape} {text(one.basis)}",
        text(one.record),
        text(one.when),
    )
