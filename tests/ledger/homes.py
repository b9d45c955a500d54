"""Ledgers to test on: fresh, with a few people, and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from pathlib import Path

import sqlalchemy as sa

from app.govern.commands import execute, values_of
from app.govern.model import OPERATOR, Actor, Add, Change, Ledger, Receipt, Step
from data import migrations
from data.ledger import AUDIT
from data.ledger_store import Store, sqlite_url

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)
ROOT = Actor(OPERATOR, "root")
PEOPLE = {
    "vera": ("viewer",), "anna": ("analyst",), "omar": ("owner",), "olga": ("owner",), "carl": ("council",),
    "cleo": ("council",), "adam": ("admin",), "ada": ("admin",),
}  # fmt: skip


class Ticking:
    """A clock that moves one second a look."""

    def __init__(self, start: dt.datetime = NOW) -> None:
        self.now = start

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


def who(name: str) -> Actor:
    return Actor("demo", name)


def user(name: str) -> str:
    return who(name).identity


class Desk:
    """A ledger with helpers that make up keys."""

    def __init__(self, store: Store) -> None:
        self.ledger = Ledger(store, Ticking())
        self._keys = itertools.count(1)

    def do(self, command: Add | Change | Step, actor: Actor | str = "omar", key: str = "") -> Receipt:
        by = who(actor) if isinstance(actor, str) else actor
        return execute(self.ledger, command, by, key or f"key-{self.count(AUDIT)}-{next(self._keys)}")

    def add(
        self, register: str, actor: Actor | str = "omar", *, record_id: str = "", **values: object
    ) -> Receipt:
        return self.do(Add(register, values_of(**values), record_id), actor)  # type: ignore[arg-type]

    def change(self, receipt: Receipt, actor: Actor | str = "omar", **values: object) -> Receipt:
        return self.do(
            Change(receipt.register, receipt.record_id, receipt.version, values_of(**values)), actor
        )  # type: ignore[arg-type]

    def step(self, verb: str, receipt: Receipt, actor: Actor | str = "omar") -> Receipt:
        return self.do(Step(verb, receipt.register, receipt.record_id, receipt.version), actor)

    def people(self) -> Desk:
        for name, roles in PEOPLE.items():
            self.add("users", ROOT, issuer="demo", subject=name, name=name.title(), roles=roles)
        return self

    def initiative(self, name: str = "churn") -> Receipt:
        return self.add("initiatives", record_id=name, **INITIATIVE)

    def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        with self.ledger.store.read() as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


INITIATIVE = {
    "title": "Churn retention", "hypothesis": "An early offer keeps customers.", "outcome": "Fewer leave.",
    "stage": "pilot", "materiality": "tier 1", "sponsor": user("omar"),
}  # fmt: skip
OWNERSHIP = {
    "initiative": "churn", "accountable": user("omar"), "authority": "Holds the budget", "since": dt.date(2026, 1, 1),
    "review_days": 90, "next_review": dt.date(2026, 12, 1),
}  # fmt: skip
RISK = {
    "initiative": "churn", "title": "Wrong customers get offers", "cause": "Drift", "event": "Scores are wrong",
    "consequence": "Money is wasted", "category": "model performance", "inherent_likelihood": 4, "inherent_impact": 4,
    "residual_likelihood": 2, "residual_impact": 3, "treatment": "mitigate", "owner": user("omar"),
    "next_review": dt.date(2026, 12, 1),
}  # fmt: skip


def fresh(path: Path) -> Desk:
    store = Store(sqlite_url(path))
    migrations.upgrade(store)
    return Desk(store)


def copy_of(template: Path, path: Path) -> Desk:
    """A desk on a copy of a ledger: quicker than making one."""
    shutil.copy(template, path)
    return later(Desk(Store(sqlite_url(path))))


def later(desk: Desk) -> Desk:
    """A desk whose clock stands after all that a copied ledger holds."""
    desk.ledger.clock.now += dt.timedelta(hours=1)  # type: ignore[attr-defined]
    return desk


def fresh_on(url: str) -> Desk:
    """An empty ledger on a PostgreSQL server; what was there goes."""
    engine = sa.create_engine(url)
    with engine.begin() as db:
        db.execute(sa.schema.DropSchema("public", cascade=True, if_exists=True))
        db.execute(sa.schema.CreateSchema("public"))
    engine.dispose()
    store = Store(url)
    migrations.upgrade(store)
    return Desk(store)
