"""Opening a ledger: the file under the home folder, or the PostgreSQL database that the settings name."""

from __future__ import annotations

import getpass

from app.govern.model import OPERATOR, Actor, Clock, Ledger
from app.settings import Settings
from data.ledger_store import Store, sqlite_url


def store_of(settings: Settings) -> Store:
    return Store(settings.ledger_url or sqlite_url(settings.home / "ledger.sqlite"))


def open_ledger(settings: Settings, clock: Clock) -> Ledger:
    """The ledger of these settings; a new one is made where none is. Raises LedgerError for another revision."""
    store = store_of(settings)
    if store.revision() is None:
        from data import migrations  # Alembic takes a third of a second to import

        migrations.upgrade(store)
    store.check()
    return Ledger(store, clock)


def operator() -> Actor:
    """Whoever runs the command line on the server."""
    return Actor(OPERATOR, getpass.getuser())


class Door:
    """The way to a ledger that may be made later; once found it stays open. Threads may share it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._found: Ledger | None = None

    def ledger(self) -> Ledger | None:
        """The ledger if there is one by now; nothing is made. Raises LedgerError for another revision."""
        if self._found is None or self._gone():
            self._found = existing_ledger(self._settings, self._clock)
        return self._found

    def _gone(self) -> bool:
        return self._settings.ledger_url is None and not (self._settings.home / "ledger.sqlite").exists()


def existing_ledger(settings: Settings, clock: Clock) -> Ledger | None:
    """The ledger if there is one; nothing is made. Raises LedgerError for another revision."""
    if settings.ledger_url is None and not (settings.home / "ledger.sqlite").exists():
        return None
    store = store_of(settings)
    if store.revision() is None:
        return None
    store.check()
    return Ledger(store, clock)
