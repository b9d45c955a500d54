"""Learning: milestones promised, conclusions of experiments.

Revision ID: 0006
"""

from __future__ import annotations

from data.migrations import steps

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {
    "milestones": "initiative:text kind:text title:text due:text reached:text owner:text note:text",
    "conclusions": (
        "initiative:text experiment:text study:text concluded:text finding:text effect:text decision:text owner:text"
    ),
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
