"""The audit trail and the users.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.migrations import steps

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXTS = ("at", "issuer", "subject", "verb", "register", "record_id")


def upgrade() -> None:
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    steps.create_refusal()
    op.create_table(
        "audit",
        sa.Column("seq", integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
        sa.Column("version", integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("request", "body", "previous")),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.CheckConstraint("seq >= 1", name="audit_seq"),
        sa.CheckConstraint("outcome IN ('done', 'denied')", name="audit_outcome"),
        sa.CheckConstraint("length(hash) = 64 AND length(previous) = 64", name="audit_hash"),
        sqlite_strict=True,
    )
    steps.guard("audit")
    steps.create_register("users", "issuer:text subject:text name:text email:text roles:text")


def downgrade() -> None:
    steps.refuse_if_filled("users", "audit")
    op.drop_table("users")
    op.drop_table("audit")
    steps.drop_refusal()
