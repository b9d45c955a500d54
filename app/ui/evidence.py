"""Evidence on its register page: take a file in, and give a kept one out again after its hash was checked."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app.govern.evidence import EvidenceError
from app.govern.model import Row, Values
from app.govern.views import Room
from app.govern.views_evidence import Upload, keep, kept_file
from app.settings import Settings
from app.ui import forms, tiles
from app.ui.marks import text
from data.registers import REGISTERS

SLOT = "file/evidence"
NEW = "A new record"


def exchange(room: Room, settings: Settings) -> None:
    """Upload and download, below the register."""
    with st.expander("Files: keep one as evidence, or take one out"):
        forms.answer(SLOT)
        live = {r.record_id: r for r in room.live("evidence")}
        _take_in(room, settings, live)
        _give_out(room, settings, live)


def _take_in(room: Room, settings: Settings, live: dict[str, Row]) -> None:
    file = st.file_uploader("File", key="evidence-file", help="Kept under its SHA-256, at most 50 MB.")
    chosen = st.selectbox(
        "Keep it as", [NEW, *live], key="evidence-for",
        format_func=lambda i: f"A new version of {room.title('evidence', i)} ({i})" if i in live else i,
    )  # fmt: skip
    row = live.get(chosen or "")
    given = () if row else _facts(room)
    if file is not None and st.button("Keep this file", key="evidence-keep", type="primary"):
        forms.tell(SLOT, keep(room, settings, Upload(file.name, file.getvalue()), row, given))
        st.rerun()


def _facts(room: Room) -> Values:
    """What a new record needs besides its file; its owner is whoever keeps it."""
    register = REGISTERS["evidence"]
    kinds = {name: field.choices for name in ("type", "basis") if (field := register.field(name))}
    title = st.text_input("Title *", key="evidence-title", max_chars=300)
    values: list[tuple[str, str | dt.date | None]] = [("title", title)]
    for name, choices in kinds.items():
        values.append((name, st.selectbox(f"{name.capitalize()} *", choices, key=f"evidence-{name}")))
    names = ["", *(r.record_id for r in room.live("initiatives"))]
    about = st.selectbox(
        "Initiative", names, key="evidence-initiative",
        format_func=lambda i: room.title("initiatives", i) if i else "Not chosen",
    )  # fmt: skip
    expires = st.date_input("Expires", None, key="evidence-expires", format="YYYY-MM-DD")
    owner = room.actor.identity if room.actor else ""
    more = (("initiative", about or None), ("expires", expires), ("owner", owner))
    return (*values, *((n, v) for n, v in more if v is not None))


def _give_out(room: Room, settings: Settings, live: dict[str, Row]) -> None:
    held = {i: r for i, r in live.items() if r["sha256"]}
    if not held:
        return
    chosen = st.selectbox(
        "Take out the file of", list(held), index=None, key="evidence-out",
        format_func=lambda i: f"{room.title('evidence', i)} ({i})",
    )  # fmt: skip
    if not chosen:
        return
    try:
        content = kept_file(settings, held[chosen])
    except EvidenceError as error:
        st.html(f'<p class="tl-warn" role="alert">{text(error)}</p>')
        return
    name = tiles.slug(held[chosen].text("file_name").rpartition(".")[0] or chosen)
    ending = tiles.slug(held[chosen].text("file_name").rpartition(".")[2])[:8]
    st.download_button(
        "Take out",
        content,
        f"{name}.{ending}",
        "application/octet-stream",
        key="evidence-get",
        on_click="ignore",
    )
