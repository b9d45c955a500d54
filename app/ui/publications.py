"""Publications, drawn: what the board saw and when, two of them side by side, and what became of one since."""

from __future__ import annotations

import streamlit as st

from app.govern.board.compare import Comparison, Moved, Restated, Restatement, compare, restate
from app.govern.board.document import PublicationError
from app.govern.board.publish import MONTH, Published, document, published
from app.govern.views import Room
from app.measure import words
from app.measure.judged import Frame
from app.ui import marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from metrics.core.verdict import State

MOST = 60


def board(frame: Frame, room: Room) -> None:
    """The whole page below its entrance."""
    held = published(room.ledger)
    _lead(held)
    if not held:
        return
    names = [p.publication for p in held]
    said = {p.publication: _called(p) for p in held}
    if len(held) > 1:
        _compared(room, names, said)
    _since(frame, room, names, said)
    with st.expander(f"All publications: {len(held)}"):
        _list(held)


def _called(one: Published) -> str:
    kind = f"Close of {one.first:%B %Y}" if one.kind == MONTH else words.moment(one.as_of)
    return f"{kind} ({one.readings} numbers)"


def _lead(held: tuple[Published, ...]) -> None:
    if not held:
        tiles.empty(
            "Nothing was published yet.",
            "Run python -m app publish every night after refresh; python -m app publish --month 2026-10 closes a month.",
        )
        return
    newest = held[0]
    closed = [p for p in held if p.kind == MONTH]
    last = f" The last closed month is {closed[0].first:%B %Y}." if closed else " No month is closed yet."
    with st.container(border=True):
        st.html(
            '<p class="tl-eyebrow">What the board saw</p>'
            f'<p class="tl-lead">{text(words.plural(len(held), "publication"))}, the newest of data known at'
            f" {text(words.moment(newest.as_of))}.{text(last)}</p>"
            f'<p class="tl-sub">Each is frozen in the ledger under its SHA-256 and audit entry; this one is'
            f" {newest.sha256[:12]}, entry {newest.entry}. Nothing in it changes when late rows arrive.</p>"
        )


def _compared(room: Room, names: list[str], said: dict[str, str]) -> None:
    tiles.heading("Two publications side by side")
    left, right = st.columns(2, gap="small")
    with left:
        first = st.selectbox(
            "From", names, index=1, format_func=lambda n: said.get(n, n), key="from", bind="query-params"
        )
    with right:
        second = st.selectbox(
            "To", names, index=0, format_func=lambda n: said.get(n, n), key="to", bind="query-params"
        )
    try:
        found = compare(document(room.ledger, first), document(room.ledger, second))
    except PublicationError as error:
        st.html(f'<p class="tl-warn">{text(words.sentence(str(error)))}</p>')
        return
    _comparison(found)


def _comparison(found: Comparison) -> None:
    verdicts = sum(m.state_before != m.state_after for m in found.moved)
    head = (
        f"{words.plural(len(found.moved), 'number')} differ, {words.plural(verdicts, 'verdict')} changed,"
        f" {found.same} are the same."
    )
    st.html(f'<p class="tl-note">{text(head)}</p>')
    columns = (
        Column("Number"), Column("From", right=True), Column("To", right=True), Column("Verdict then"),
        Column("Verdict"), Column("Note"),
    )  # fmt: skip
    clear = [m for m in found.moved if m.apart or m.state_before != m.state_after or m.why]
    rest = [m for m in found.moved if m not in clear]
    if clear:
        tables.show(Table("What clearly differs", columns, tuple(_moved(m) for m in clear)))
    if rest:
        with st.expander(f"{words.plural(len(rest), 'number')} moved within their intervals"):
            tables.show(Table("What moved within its interval", columns, tuple(_moved(m) for m in rest)))


def _moved(one: Moved) -> tuple[str, ...]:
    note = one.why or ("the intervals lie apart" if one.apart else "")
    name = f"<b>{text(one.title)}</b><br>{text(one.subject)}"
    return (
        name,
        text(one.before),
        text(one.after),
        _badge(one.state_before),
        _badge(one.state_after),
        text(note),
    )


def _badge(state: str) -> str:
    if not state or state == State.NOT_APPLICABLE:
        return ""
    held = State(state)
    return f'<span class="tl-badge {verdict_class(held)}">{marks.shape(held)}{text(state)}</span>'


def _since(frame: Frame, room: Room, names: list[str], said: dict[str, str]) -> None:
    tiles.heading(
        "What became of it since",
        "The same numbers asked of today's warehouse: as of the same instant, where they must come out the same, and as"
        " known now, where late rows may restate them.",
    )
    chosen = st.selectbox(
        "Publication", names, format_func=lambda n: said.get(n, n), key="restate", bind="query-params"
    )
    kept = f"restated/{chosen}/{frame.readings.store.held().generation}"
    if st.button("Ask today's warehouse", key="ask-restate"):
        with st.spinner("Reading the warehouse as it was known then and as it is now"):
            name, content = document(room.ledger, chosen)
            st.session_state[kept] = restate(name, content, frame.readings)
    found = st.session_state.get(kept)
    if isinstance(found, Restatement):
        _restatement(found)


def _restatement(found: Restatement) -> None:
    good = found.reproduced == found.asked
    mark = "tl-done" if good else "tl-warn"
    st.html(
        f'<p class="{mark}" role="status">{found.reproduced} of {found.asked} numbers come out the same as of the same'
        f" instant; {found.restated} are restated by what arrived since.</p>"
    )
    columns = (
        Column("Number"), Column("Published", right=True), Column("As of then", right=True),
        Column("As known now", right=True), Column("Note"),
    )  # fmt: skip
    if found.lines:
        tables.show(Table("Restatements", columns, tuple(_restated(x) for x in found.lines[:MOST])))


def _restated(one: Restated) -> tuple[str, ...]:
    name = f"<b>{text(one.title)}</b><br>{text(one.subject)}"
    parts = ("restated" if one.restated else "", "" if one.reproduced else "not reproduced", one.why)
    return name, text(one.published), text(one.again), text(one.now), text("; ".join(p for p in parts if p))


def _list(held: tuple[Published, ...]) -> None:
    columns = (
        Column("Publication"), Column("Days"), Column("Numbers", right=True), Column("Audit entry", right=True),
        Column("SHA-256"),
    )  # fmt: skip
    rows = [
        (_called(p), words.days_between(p.first, p.last), p.readings, p.entry, p.sha256[:12]) for p in held
    ]
    tables.show(tables.plain("Publications", columns, rows))
