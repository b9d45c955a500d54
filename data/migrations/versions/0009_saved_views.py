"""Views that people keep under a name.

Revision ID: 0009
"""

from __future__ import annotations

from data.migrations import steps

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {"saved_views": "title:text page:text choices:text"}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
