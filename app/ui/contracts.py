"""The page of contracts, drawn; and the standard's YAML in and out."""

from __future__ import annotations

import hashlib

import streamlit as st

from app.govern import odcs
from app.govern.contract_checks import BROKEN, KEPT
from app.govern.model import Command
from app.govern.views import Room
from app.govern.views_contracts import ContractBoard, ContractLine, import_yaml
from app.govern.views_forms import carry_out
from app.ui import forms, marks, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column, Table
from app.ui.theme import verdict_class
from metrics.core.verdict import State

_STATES = {KEPT: State.MET, BROKEN: State.NOT_MET}
SLOT = "yaml/contracts"


def table(board: ContractBoard) -> None:
    """One line a contract: who answers for it, what was promised, whether it is kept."""
    if not board.contracts:
        return
    columns = (
        Column("Contract"), Column("Table"), Column("Owner"), Column("Promised"), Column("Today"), Column("Why"),
    )  # fmt: skip
    tables.show(Table("Data contracts", columns, tuple(_line(line) for line in board.contracts)))


def _line(one: ContractLine) -> tuple[str, ...]:
    state = _STATES.get(one.state, State.NO_DATA)
    badge = f'<span class="tl-badge {verdict_class(state)}">{marks.shape(state)}{text(one.state)}</span>'
    wanted = [r for r in one.results if r.state == one.state] or one.results
    why = "; ".join(f"{r.rule}: {r.why}" for r in wanted)
    return f"<b>{text(one.title)}</b>", text(one.table), text(one.owner), text(one.promise), badge, text(why)


def exchange(room: Room, board: ContractBoard) -> None:
    """Open Data Contract Standard 3.1, as YAML."""
    with st.expander("Open Data Contract Standard (YAML)"):
        names = {line.record_id: line.title for line in board.contracts}
        chosen = st.selectbox(
            "Take away a contract", list(names), index=None, format_func=lambda n: f"{names.get(n, n)} ({n})",
            key="yaml_out",
        )  # fmt: skip
        if chosen:
            row = room.shelf["contracts"][chosen]
            st.download_button(
                "Take away as YAML", odcs.export_yaml(row), f"{tiles.slug(chosen)}.odcs.yaml", "text/yaml"
            )
        forms.answer(SLOT)
        file = st.file_uploader(
            "Bring in a contract", ("yaml", "yml"), key="yaml_in", help="One table a contract."
        )
        if file is not None:
            _bring_in(room, file.getvalue())


def _bring_in(room: Room, content: bytes) -> None:
    try:
        command = import_yaml(room, content.decode("utf-8-sig"))
    except (odcs.ContractError, UnicodeDecodeError) as error:
        st.html(f'<p class="tl-warn">{text(error)}</p>')
        return
    if not command.values:
        st.html('<p class="tl-note">The contract is recorded as it stands in this file.</p>')
        return
    st.html(
        f'<p class="tl-note">{text(command.verb.capitalize())} {text(command.record_id)}: {len(command.values)} fields.</p>'
    )
    key = "yaml/" + hashlib.sha256(content + repr((room.actor, command.seen)).encode()).hexdigest()
    st.button(
        "Record this contract", key="yaml_go", type="primary", on_click=_record, args=(room, command, key)
    )


def _record(room: Room, command: Command, key: str) -> None:
    if room.actor is not None:
        forms.tell(SLOT, carry_out(room.ledger, command, room.actor, key))
