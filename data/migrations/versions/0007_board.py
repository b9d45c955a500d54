"""The board: publications, comments on numbers, interventions.

Revision ID: 0007
"""

from __future__ import annotations

from data.migrations import steps

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {
    "publications": (
        "kind:text as_of:text first:text last:text readings:int sha256:text part:int parts:int document:text"
    ),
    "comments": "metric:text scope:text about:text comment:text",
    "interventions": "metric:text scope:text initiative:text done_on:text what:text owner:text",
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
