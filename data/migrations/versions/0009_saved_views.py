"""Views that people keep under a name.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op

from data.migrations import steps

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {"saved_views": "title:text page:text choices:text"}


def upgrade() -> None:
    for name, columns in _REGISTERS.items():
        steps.create_register(name, columns)


def downgrade() -> None:
    steps.refuse_if_filled(*_REGISTERS)
    for name in reversed(_REGISTERS):
        op.drop_table(name)
