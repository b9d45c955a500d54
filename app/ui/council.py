"""The council's page, drawn: agenda, evidence frozen beside today's, quorum bar, seats, decision record, past decisions."""

from __future__ import annotations

import streamlit as st

from app.govern.views_docket import Docket, Line
from app.govern.views_gates import Board, Item
from app.ui import marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from metrics.core.verdict import State

CHOSEN = "item"
MOST = 8


def pick(number: str) -> None:
    """Open an item when the page is drawn next."""
    st.session_state[CHOSEN] = number


def agenda(board: Board, *, opens: bool = True) -> None:
    """What is due. `opens`: a click opens an item below."""
    mine = sum(i.mine for i in board.agenda)
    head = (
        f"Agenda: {mine} of {len(board.agenda)} wait for your vote"
        if mine
        else f"Agenda: {len(board.agenda)}"
    )
    with st.container(border=True):
        st.html(f'<p class="tl-eyebrow">{head}</p>')
        if not board.agenda:
            st.html('<p class="tl-note">No review is open and no decision is back.</p>')
        for at, item in enumerate(board.agenda[:MOST]):
            _item(item, at, opens=opens)
        if len(board.agenda) > MOST:
            with st.expander(f"{len(board.agenda) - MOST} more"):
                for at, item in enumerate(board.agenda[MOST:], start=MOST):
                    _item(item, at, opens=opens)


def _item(item: Item, at: int, *, opens: bool) -> None:
    with st.container(key=f"agenda-{at}", gap=None):
        kind = (
            f'<b class="tl-bad">{text(item.kind)}</b>'
            if item.kind in ("returned", "lapsed", "kill")
            else text(item.kind)
        )
        number = f" {text(item.review)}" if item.review else ""
        st.html(
            f'<div class="tl-need"><b>{text(item.title)}</b><span class="tl-num">{kind}{number}</span>'
            f"<span>{text(item.text)}</span></div>"
        )
        if item.review and opens:
            st.button(
                f"Open {item.review}, item {at + 1}", key=f"open-item-{at}", type="tertiary", on_click=pick,
                args=(item.review,),
            )  # fmt: skip


def choose(board: Board) -> str | None:
    """The review that is looked at."""
    titles = dict(board.reviews)
    if st.session_state.get(CHOSEN) not in titles:
        st.session_state.pop(CHOSEN, None)
    return st.selectbox(
        "Look at a review", list(titles), index=None, key=CHOSEN, format_func=lambda i: f"{i} {titles.get(i, '')}",
        placeholder="Choose a review to see its evidence and votes", persist_state="session",
    )  # fmt: skip


def docket(one: Docket) -> None:
    """Everything about an item but its forms."""
    state = f"{one.phase}, {one.stands}" if one.stands else one.phase
    flag = ' <b class="tl-bad">outdated today</b>' if one.outdated else ""
    st.html(
        f'<p class="tl-eyebrow">{text(one.review)}, {text(state)}{flag}</p><p class="tl-lead">{text(one.title)}</p>'
        f'<p class="tl-sub">{"The gate holds today." if one.holds else "The gate does not hold today:"}'
        f" {'' if one.holds else text(one.verdict)}</p>"
    )
    facts(one.record)
    quorum(one)
    evidence(one)
    seats(one)
    conditions(one)
    with st.expander("Request, rules and who takes part"):
        facts(one.facts)


def facts(pairs: tuple[tuple[str, str], ...]) -> None:
    if pairs:
        lines = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in pairs)
        st.html(f'<dl class="tl-dl">{lines}</dl>')


def quorum(one: Docket) -> None:
    present, needed = one.quorum
    filled = min(present, needed)
    bars = f'<i style="flex:{filled};background:var(--tl-good)"></i>' if filled else ""
    bars += f'<i style="flex:{needed - filled};background:var(--tl-line)"></i>' if needed > filled else ""
    label = f"{present} of {needed} votes for the quorum"
    st.html(
        f'<div class="tl-tally" role="img" aria-label="{label}">{bars}</div><p class="tl-count">{label}. {text(one.tally)}.</p>'
    )


def evidence(one: Docket) -> None:
    tiles.heading("Evidence", f"Frozen on {one.frozen_on}, beside what is found today.")
    columns = (
        Column("Criterion"),
        Column("Asked for"),
        Column("Frozen"),
        Column("Today"),
        Column("Why, and what moved"),
    )
    tables.show(Table(f"Evidence of {one.review}", columns, tuple(_line(line) for line in one.lines)))


def _line(one: Line) -> tuple[str, ...]:
    moved = (
        f'<br><b class="tl-bad">{text(one.moved)}</b>'
        if one.material
        else f"<br>{text(one.moved)}"
        if one.moved
        else ""
    )
    return (
        f"<b>{text(one.title)}</b><br>{text(one.weight)}",
        text(one.asked),
        f"{badge(one.then)}<br>{text(one.then_text)}",
        f"{badge(one.now)}<br>{text(one.now_text)}",
        f"{text(one.why)}{moved}",
    )


def badge(state: State) -> str:
    return f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{state.value}</span>'


def seats(one: Docket) -> None:
    tiles.heading("Votes", "Whoever asked or contributed does not vote; nobody votes for somebody else.")
    columns = (Column("Seat"), Column("Delegate"), Column("Vote"), Column("Statement"))
    tables.show(tables.plain("Votes", columns, [(s.name, s.by, s.vote, s.statement) for s in one.seats]))


def conditions(one: Docket) -> None:
    if not one.conditions:
        return
    tiles.heading("Conditions")
    columns = (Column("Condition"), Column("Owner and day"), Column("State"), Column("Today"), Column("Why"))
    rows = tuple(
        (text(title), text(who), f'<b class="tl-bad">{text(state)}</b>' if state in ("breached", "lapsed") else text(state),
         badge(now), text(why))
        for title, who, state, now, why in one.conditions
    )  # fmt: skip
    tables.show(Table("Conditions", columns, rows))


def past(board: Board) -> None:
    """Every decision with what it would be today, and how well past ones kept."""
    if not board.past:
        return
    tiles.heading("Decisions, then and now", board.kept)
    columns = (
        Column("Number"), Column("About"), Column("Outcome"), Column("Decided"), Column("Stands"), Column("Today"),
        Column("Basis, SHA-256"),
    )  # fmt: skip
    rows = tuple(
        (text(d.number), text(d.title), text(d.outcome), text(d.on), text(d.stands),
         (f'<b class="tl-bad">outdated</b>, {text(d.today)}' if d.outdated else text(d.today)), text(d.basis[:16]))
        for d in board.past
    )  # fmt: skip
    tables.show(Table("Decisions", columns, rows))
