"""Baselines and studies.

Revision ID: 0004
"""

from __future__ import annotations

from data.migrations import steps

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS: dict[str, str] = {
    "baselines": (
        "title:text metric:text grain:text scope:text initiative:text template:text delimiter:text "
        "decimal:text date_order:text zone:text file_name:text sha256:text bytes:int rows_sha256:text "
        "rows:int first:text last:text value:number low:number high:number note:text"
    ),
    "studies": (
        "title:text design:text initiative:text baseline:text plan_hash:text plan:text warnings:text"
    ),
    "study_results": (
        "study:text data_hash:text sha256:text bytes:int versions:text grade:text counted:int "
        "blocked_by:text estimate:number low:number high:number p_value:number value:number "
        "value_low:number value_high:number cost:number diagnostics:text"
    ),
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
