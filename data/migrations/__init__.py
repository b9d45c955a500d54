"""The ledger's schema, step by step. Every step is one transaction on both databases: old or new, never between."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from data.ledger_store import Store

_HERE = Path(__file__).resolve().parent


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str | None:
    """The newest revision that the files know."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def upgrade(store: Store, revision: str = "head") -> None:
    """Bring the ledger to a revision; nothing changes if a step fails."""
    _run(store, revision, up=True)


def downgrade(store: Store, revision: str) -> None:
    """Take the ledger back to a revision. Refused where that would drop rows that people wrote."""
    _run(store, revision, up=False)


def _run(store: Store, revision: str, *, up: bool) -> None:
    config, engine = _config(), store.unlocked()
    try:
        with engine.connect().execution_options(ledger_write=True) as db, db.begin():
            config.attributes["connection"] = db
            (command.upgrade if up else command.downgrade)(config, revision)
    finally:
        engine.dispose()
