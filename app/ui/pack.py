"""Buttons that take the board pack away: a frozen snapshot as a document, as slides, or as a workbook."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.govern.pack.make import of_room, printed
from app.govern.sheets_xlsx import MIME as XLSX
from app.govern.views import Room
from app.measure.judged import Frame
from app.ui import tiles

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
KINDS = (("PDF", "pdf", "application/pdf"), ("slides", "pptx", PPTX), ("workbook", "xlsx", XLSX))


def show(room: Room, frame: Frame) -> None:
    """One button a form. The pack is made when somebody asks for it, not whenever the page is drawn."""
    tiles.heading(
        "Board pack",
        "Scorecard, portfolio, decisions, risks and the ledger's anchor, frozen when you take it.",
    )
    day = frame.now.date().isoformat()
    with st.container(horizontal=True):
        for name, form, mime in KINDS:
            st.download_button(
                f"Take away the board pack as {name}", _maker(room, frame, form), f"board-pack-{day}.{form}", mime,
                key=f"pack-{form}", on_click="ignore",
            )  # fmt: skip


def _maker(room: Room, frame: Frame, form: str) -> Callable[[], bytes]:
    """Makes the pack in a thread of its own, of the ledger as the page saw it. The snapshot is kept under its hash."""

    def make() -> bytes:
        return printed(of_room(frame.runtime, room, frame.now), form).content

    return make
