"""The audit trail, drawn: search, proof, export."""

from __future__ import annotations

import streamlit as st

from app.govern.views import Room
from app.govern.views_audit import Asked, AuditBoard, AuditLine, Proof, export_csv, prove
from app.measure import words
from app.settings import load_settings
from app.ui import tables, tiles
from app.ui.marks import text
from app.ui.tables import Column
from data.registers import REGISTERS


def ask() -> Asked:
    """The search, kept in the link."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="scope-audit"):
        found = st.text_input(
            "Search", key="q", bind="query-params", placeholder="Person, record, word or hash", width=300
        )
        register = st.selectbox(
            "Register", ["", *REGISTERS], key="trail", bind="query-params", width=200,
            format_func=lambda n: REGISTERS[n].title if n else "All registers",
        )  # fmt: skip
        outcome = st.selectbox(
            "Outcome", ["", "done", "denied"], key="outcome", bind="query-params", width=150,
            format_func=lambda n: {"": "All", "done": "Recorded", "denied": "Refused"}[n],
        )  # fmt: skip
    return Asked(register or "", outcome or "", found or "")


def verification(room: Room) -> None:
    """Prove on demand that the ledger is what was written."""
    with st.container(border=True):
        st.html('<p class="tl-eyebrow">Is it what was written?</p>')
        if st.button("Verify every entry and row", key="verify"):
            with st.spinner("Replaying the trail against every row"):
                _proof(prove(room, load_settings()))
        else:
            st.html(
                '<p class="tl-note">Each entry carries the hash of the one before it. Verifying recomputes them all and'
                " compares what they say with every column of every row. The ledger is tamper-evident, not tamper-proof.</p>"
            )


def _proof(proof: Proof) -> None:
    mark = "tl-done" if proof.good else "tl-warn"
    st.html(f'<p class="{mark}" role="status">{text(proof.sentence)}</p>')
    if proof.findings:
        tables.show(tables.plain("Findings", (Column("What was found"),), [(f,) for f in proof.findings]))


def trail(board: AuditBoard) -> None:
    """The entries that fit, newest first."""
    tiles.heading(words.plural(board.found, "entry", "entries"), _shown(board))
    if not board.lines:
        return
    columns = (
        Column("Number", right=True), Column("When"), Column("Who"), Column("Did"), Column("Register"), Column("Record"),
        Column("Outcome"), Column("Reason"), Column("Hash"),
    )  # fmt: skip
    tables.show(tables.plain("Audit trail", columns, [_line(x) for x in board.lines]))
    st.download_button(
        "Take away these entries as CSV", export_csv(board).encode("utf-8-sig"), "audit-trail.csv", "text/csv"
    )


def _shown(board: AuditBoard) -> str:
    return (
        f"The newest {len(board.lines)} are shown; narrow the search to see others."
        if board.found > len(board.lines)
        else ""
    )


def _line(one: AuditLine) -> tuple[str, ...]:
    version = f" v{one.version}" if one.version else ""
    outcome = "refused" if one.outcome == "denied" else "recorded"
    title = REGISTERS[one.register].title if one.register in REGISTERS else one.register
    return (
        str(one.number), words.moment(one.at), one.who, one.verb, title, f"{one.record_id}{version}", outcome, one.why,
        one.hash[:12],
    )  # fmt: skip
