"""Alembic's entry: runs the steps on the connection it is handed, inside the transaction already begun."""

from __future__ import annotations

from alembic import context

from data.ledger import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
