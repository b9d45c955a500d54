"""Alerts: the outbox.

Revision ID: 0005
"""

from __future__ import annotations

from data.migrations import steps

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {
    "alerts": (
        "event:text kind:text about_register:text about_record:text recipient:text subject:text message:text due:text"
    ),
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
