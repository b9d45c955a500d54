"""The page of risks, drawn: the 5 x 5 map with an arrow for each movement, and the register."""

from __future__ import annotations

import streamlit as st

from app.govern.views_risks import Acceptance, Indicator, Move, RiskBoard, RiskLine
from app.measure import words
from app.ui import marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from data.registers.risk import IMPACTS, LIKELIHOODS
from metrics.core.verdict import State

SIDE, CELL = 500.0, 100.0
FIND = "find_risks"


def wanted() -> str:
    """The words a reader is looking for, as the box of the page holds them."""
    return str(st.session_state.get(FIND) or "")


def find() -> None:
    st.text_input(
        "Find risks", key=FIND, placeholder="Words of title, category, initiative or owner", width=340
    )


def heat(board: RiskBoard) -> None:
    """Inherent (hollow) and residual (solid) counts in each cell; arrows lead from one to the other."""
    if not board.total:
        return
    tiles.heading(
        "From inherent to residual",
        "In each cell: risks before any control on the left, after treatment on the right."
        " Arrows show where risks are meant to go.",
    )
    cells = "".join(_row(board, likelihood) for likelihood in range(5, 0, -1))
    foot = "".join(
        f'<span class="tl-axis">{i} {text(name)}</span>' for i, name in enumerate(IMPACTS, start=1)
    )
    st.html(
        f'<div class="tl-scroll" role="region" tabindex="0" aria-label="{text(_alt(board))}"><div class="tl-heat">{cells}'
        f'<span class="tl-axis"></span>{foot}<div class="tl-moves">{_arrows(board.moves)}</div></div></div>'
    )


def _row(board: RiskBoard, likelihood: int) -> str:
    name = f'<span class="tl-axis tl-side">{likelihood} {text(LIKELIHOODS[likelihood - 1])}</span>'
    return name + "".join(_cell(board, likelihood, impact) for impact in range(1, 6))


def _cell(board: RiskBoard, likelihood: int, impact: int) -> str:
    size = likelihood * impact
    level = 1 + sum(size > bound for bound in (4, 9, 14))
    before, after = board.inherent[likelihood, impact], board.residual[likelihood, impact]
    drawn = f'<i title="inherent">{before}</i>' if before else "<u></u>"
    drawn += f'<b title="residual">{after}</b>' if after else "<u></u>"
    return f'<span class="tl-cell tl-heat-{level}"><em>{size}</em>{drawn}</span>'


def _arrows(moves: tuple[Move, ...]) -> str:
    """One drawing over the whole map; a mask, so that the theme gives its colour."""
    body = "".join(_arrow(move) for move in moves)
    return marks.overlay(body, SIDE) if body else ""


def _arrow(move: Move) -> str:
    (x1, y1), (x2, y2) = _point(move.before, -18.0), _point(move.after, 18.0)
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    x1, y1, x2, y2 = x1 + ux * 17, y1 + uy * 17, x2 - ux * 17, y2 - uy * 17
    left = f"{x2 - ux * 11 - uy * 6:.1f} {y2 - uy * 11 + ux * 6:.1f}"
    right = f"{x2 - ux * 11 + uy * 6:.1f} {y2 - uy * 11 - ux * 6:.1f}"
    way = f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}M{left}L{x2:.1f} {y2:.1f}L{right}"
    width = 1.6 + 1.2 * min(move.count, 4)
    return f'<path d="{way}" fill="none" stroke="#000" stroke-width="{width:.1f}" stroke-linecap="round"/>'


def _point(cell: tuple[int, int], aside: float) -> tuple[float, float]:
    likelihood, impact = cell
    return (impact - 0.5) * CELL + aside, (5.5 - likelihood) * CELL + 8.0


def _alt(board: RiskBoard) -> str:
    lower = sum(m.count for m in board.moves if m.after[0] * m.after[1] < m.before[0] * m.before[1])
    return f"Map of {board.total} risks by likelihood and impact; {lower} are meant to become smaller"


def register(board: RiskBoard) -> None:
    """One line a risk, the ones above tolerance first."""
    if not board.total:
        return
    tiles.heading("Ratings beside what is measured", "Scores are likelihood times impact.")
    if board.matching > len(board.risks):
        shown = f"The first {len(board.risks)} of {words.count(board.matching)} are shown, those above tolerance first."
        st.html(f'<p class="tl-note">{text(shown)}</p>')
    if not board.risks:
        tiles.empty("No risk has these words.", "Try fewer or other words.")
        return
    numbers = tuple(Column(n, right=True) for n in ("Inherent", "Today", "Residual", "Aim"))
    columns = (
        Column("Risk"), *numbers, Column("Against appetite"), Column("Indicator today"), Column("Treatment"),
        Column("Owner"), Column("Next review"),
    )  # fmt: skip
    tables.show(Table("Risks", columns, tuple(_line(line) for line in board.risks)))


def _line(one: RiskLine) -> tuple[str, ...]:
    scores = tuple("–" if s is None else str(s) for s in one.scores)
    appetite = f'<b class="tl-bad">{text(one.appetite)}</b>' if one.over else text(one.appetite)
    owner = f'<b class="tl-bad">{text(one.owner)}</b>' if one.owner == "nobody" else text(one.owner)
    name = f"<b>{text(one.title)}</b><br>{text(one.initiative)}, {text(one.category)}"
    return (name, *scores, appetite, _indicator(one.indicator), text(one.treatment), owner, text(one.review))


def _indicator(found: Indicator | None) -> str:
    if found is None:
        return "no indicator"
    state = found.verdict.state
    word = {State.MET: "within bound", State.NOT_MET: "in breach"}.get(state, state.value)
    why = text(found.verdict.why)
    return f'{text(found.text)}<br><span class="tl-badge {verdict_class(state)}" title="{why}">{marks.shape(state)}{word}</span>'


def acceptances(board: RiskBoard) -> None:
    """What is borne on purpose and until when."""
    if not board.acceptances:
        return
    tiles.heading("Accepted on purpose, and until when")
    columns = (Column("What"), Column("Kind"), Column("State"), Column("Ends"), Column("Identifier"))
    tables.show(
        Table("Acceptances and exceptions", columns, tuple(_acceptance(a) for a in board.acceptances))
    )


def _acceptance(one: Acceptance) -> tuple[str, ...]:
    state = f'<b class="tl-bad">{text(one.state)}</b>' if one.late else text(one.state)
    return text(one.about), text(one.kind), state, text(one.ends), text(one.record_id)
