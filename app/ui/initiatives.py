"""The page of initiatives, drawn."""

from __future__ import annotations

from app.govern.views_initiatives import Initiative, InitiativeBoard
from app.ui import tables
from app.ui.marks import text
from app.ui.tables import Column, Table


def cards(board: InitiativeBoard) -> None:
    """One line an initiative."""
    if board.initiatives:
        columns = (
            Column("Initiative"), Column("Stage"), Column("Tier"), Column("Answers for it"),
            Column("Acceptable error"), Column("Risks"), Column("Next ownership review"),
        )  # fmt: skip
        tables.show(Table("Initiatives", columns, tuple(_line(i) for i in board.initiatives)))


def _line(one: Initiative) -> tuple[str, ...]:
    owner = f'<b class="tl-bad">{text(one.owner)}</b>' if one.orphan else text(one.owner)
    late = ' <b class="tl-bad">overdue</b>' if one.late else ""
    return (
        f"<b>{text(one.title)}</b>", text(one.stage), text(one.materiality), owner, text(one.posture), text(one.risks),
        f"{text(one.review)}{late}",
    )  # fmt: skip
