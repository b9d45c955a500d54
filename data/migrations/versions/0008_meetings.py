"""Meetings of the council: agenda, presence, minutes.

Revision ID: 0008
"""

from __future__ import annotations

from data.migrations import steps

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {
    "meetings": ("title:text agenda:text"),
    "attendances": ("meeting:text person:text"),
    "minutes": ("meeting:text remarks:text record:text record_sha256:text"),
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
