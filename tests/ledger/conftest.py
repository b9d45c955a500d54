"""Desks: an open ledger with people in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data import ledger_store
from tests.ledger import homes


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Rules do not depend on the disk; tests of durability ask for the fixture `durable`."""
    with pytest.MonkeyPatch.context() as patch:
        quick = tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS)
        patch.setattr(ledger_store, "PRAGMAS", quick)
        yield


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the app itself."""
    own = tuple(p.replace("synchronous=OFF", "synchronous=EXTRA") for p in ledger_store.PRAGMAS)
    monkeypatch.setattr(ledger_store, "PRAGMAS", own)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, no_waiting_for_the_disk: None) -> Path:
    """The file of a ledger with people in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    homes.fresh(path).people()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> homes.Desk:
    """A ledger with people, on each database."""
    if request.param == "sqlite":
        return homes.copy_of(template, tmp_path / "ledger.sqlite")
    return homes.fresh_on(request.getfixturevalue("pg")).people()


@pytest.fixture
def lite(template: Path, tmp_path: Path) -> homes.Desk:
    """A ledger with people on SQLite."""
    return homes.copy_of(template, tmp_path / "ledger.sqlite")
