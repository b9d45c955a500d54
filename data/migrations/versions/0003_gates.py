"""The council: gate reviews, votes, decisions, conditions.

Revision ID: 0003
"""

from __future__ import annotations

from data.migrations import steps

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {
    "gate_reviews": (
        "initiative:text gate:text track:text request:text justification:text template:text tier:text "
        "contributors:text members:text quorum:int approval:number criteria:text snapshot:text "
        "snapshot_sha256:text reopens:text ratify_by:text"
    ),
    "gate_delegations": ("review:text delegate:text"),
    "gate_votes": ("review:text seat:text vote:text statement:text"),
    "conditions": (
        "review:text title:text kind:text criterion:text metric:text comparator:text threshold:number "
        "scope:text owner:text due:text"
    ),
    "gate_decisions": (
        "review:text outcome:text context:text options:text drivers:text consequences:text makers:text "
        "tally:text moved:text supersedes:text basis:text basis_sha256:text"
    ),
    "gate_revocations": ("decision:text why:text"),
    "gate_events": ("decision:text event:text condition:text why:text"),
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
