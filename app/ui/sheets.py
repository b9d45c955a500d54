"""A register as a file: taken away as CSV or XLSX, brought in after a dry run."""

from __future__ import annotations

import streamlit as st

from app.govern.sheets import Plan, export_csv
from app.govern.views import Room
from app.govern.views_forms import carry_out_all
from app.govern.views_sheets import Offer, offer
from app.measure import words
from app.ui import forms, tables
from app.ui.tables import Column
from data.fields import Register

FAULTS_SHOWN = 50
LONGEST = 200


def draw(room: Room, register: Register) -> None:
    """Both ways. Files are made when somebody asks for one, not whenever the page is drawn."""
    _away(room, register)
    forms.answer(f"csv/{register.name}")
    file = st.file_uploader(
        "Bring in a file in the same form", ("csv", "xlsx"), key=f"up-{register.name}",
        help="Nothing is written before you have seen what would change.",
    )  # fmt: skip
    if file is not None:
        _plan(room, register, offer(room, register, file.name, file.getvalue()))


def _away(room: Room, register: Register) -> None:
    rows = room.rows(register.name)

    def as_csv() -> bytes:
        return export_csv(register, rows).encode("utf-8-sig")

    def as_xlsx() -> bytes:
        from app.govern.sheets_xlsx import export_xlsx

        return export_xlsx(register, rows)

    with st.container(horizontal=True):
        what = f"Take away all {register.title.lower()}"
        st.download_button(
            f"{what} as CSV", as_csv, f"{register.name}.csv", "text/csv", key=f"csv-{register.name}", on_click="ignore"
        )  # fmt: skip
        st.download_button(
            f"{what} as XLSX", as_xlsx, f"{register.name}.xlsx", key=f"xlsx-{register.name}", on_click="ignore",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )  # fmt: skip


def _plan(room: Room, register: Register, found: Offer) -> None:
    """What a file would do; a button only where nothing is wrong with it."""
    plan = found.plan
    if plan.faults:
        columns = (Column("Line", right=True), Column("Column"), Column("Value"), Column("What to do"))
        lines = [(str(f.line), f.column, f.value[:LONGEST], f.advice) for f in plan.faults[:FAULTS_SHOWN]]
        count = words.plural(len(plan.faults), "fault")
        st.html(f'<p class="tl-warn" role="alert">Nothing is imported: {count} to mend.</p>')
        tables.show(tables.plain("Faults in the file", columns, lines))
        return
    count = words.plural(len(plan.commands), "record")
    st.html(f'<p class="tl-note">{count} would be written, {plan.unchanged} stay as they are.</p>')
    if plan.commands and room.actor is not None:
        st.button(
            f"Import {count}", key=f"import-{register.name}", type="primary", on_click=_import,
            args=(room, register.name, plan, found.key),
        )  # fmt: skip


def _import(room: Room, register: str, plan: Plan, key: str) -> None:
    if room.actor is not None:
        forms.tell(f"csv/{register}", carry_out_all(room.ledger, plan.commands, room.actor, key))
