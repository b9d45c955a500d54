"""Alerts: the outbox.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

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
    for name, columns in _REGISTERS.items():
        steps.create_register(name, columns)


def downgrade() -> None:
    steps.refuse_if_filled(*_REGISTERS)
    for name in reversed(_REGISTERS):
        op.drop_table(name)
