"""The ledger on the command line: first administrator, verification, anchors, backup, history, migration."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import report
from app.runtime import utc_now

if TYPE_CHECKING:
    from app.govern.model import Ledger
    from app.settings import Settings
    from data.ledger_types import Value

_file = click.Path(dir_okay=False, path_type=Path)
as_json = click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")


@dataclass(frozen=True)
class Line:
    """One version of a record, as history prints it: what changed, from what to what."""

    register: str
    record_id: str
    version: int
    entry: int
    at: str
    who: str
    state: str
    reason: str
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Written:
    """A file that was written, or a schema's revision."""

    what: str
    path: str


def _ledger(settings: Settings) -> Ledger:
    from app.govern.open import open_ledger

    return open_ledger(settings, utc_now)


@click.group()
def admin() -> None:
    """Users and roles, for whoever runs the server."""


@admin.command()
@click.argument("issuer")
@click.argument("subject")
@click.option("--role", default="admin", show_default=True, help="Role to add to those the user has.")
@click.option("--name", default="", help="As shown beside decisions; the subject where it is not given.")
@as_json
@click.pass_obj
def grant(settings: Settings, issuer: str, subject: str, role: str, name: str, *, js: bool) -> None:
    """Give a role to a user, adding the user if need be. ISSUER is the sign-in service's https address."""
    from app.govern import rows
    from app.govern.commands import execute, values_of
    from app.govern.model import Actor, Add, Change, Command, Step
    from app.govern.open import operator

    ledger, actor = _ledger(settings), operator()
    who = Actor(issuer, subject)
    with ledger.store.read() as db:
        user = rows.current(db, "users", who.identity)
    if user is not None and user.state != "active":
        back = Step("restore", "users", who.identity, user.version, "granted on the command line")
        execute(ledger, back, actor, uuid.uuid4().hex)
        with ledger.store.read() as db:
            user = rows.current(db, "users", who.identity)
    if user is None:
        values = values_of(issuer=issuer, subject=subject, name=name or subject, roles=(role,))
        command: Command = Add("users", values, reason="granted on the command line")
    else:
        held = user.words("roles")
        command = Change(
            "users", who.identity, user.version, values_of(roles=(*held, role)), "granted on the command line"
        )
    report.emit(execute(ledger, command, actor, uuid.uuid4().hex), js=js)


@click.group()
def ledger() -> None:
    """What people decided: verify it, anchor it, keep it, read its history."""


@click.command()
@click.option("--deep", is_flag=True, help="Also every row, the guards and the evidence files.")
@click.option(
    "--anchor", "anchor_file", type=_file, help="Check against this anchor, not the newest one kept here."
)
@click.option("--key", default=None, metavar="HEX", help="The public key anchors must be signed by.")
@as_json
@click.pass_obj
def verify(settings: Settings, anchor_file: Path | None, key: str | None, *, deep: bool, js: bool) -> None:
    """Check that nothing in the ledger was altered; exit 1 and name the first bad entry if something was."""
    from app.govern import anchors, evidence
    from app.govern.open import store_of
    from app.govern.verify import verify as prove

    store = store_of(settings)
    store.check()
    anchor = anchors.read(anchor_file) if anchor_file else anchors.newest(settings)
    trusted = key or anchors.public_key(settings)
    proof = prove(store, deep=deep, anchor=anchor, trusted=trusted, files=evidence.folder(settings))
    report.emit(proof, js=js)
    if not proof.holds:
        click.echo(f"the ledger is {proof.state}; first bad entry: {proof.first_bad}", err=True)
        sys.exit(1)


@ledger.command()
@as_json
@click.pass_obj
def anchor(settings: Settings, *, js: bool) -> None:
    """Sign the ledger's length and head and write them outside it; keep a copy where nobody here can write."""
    from app.govern import anchors
    from app.govern.verify import head_of
    from data.ledger_types import utc_text

    made = anchors.make(settings, head_of(_ledger(settings).store), utc_text(utc_now()))
    report.emit(
        Written(f"anchor of {made.count} entries, key {made.key}", str(anchors.write(settings, made))), js=js
    )


@click.command()
@click.argument("file", type=_file)
@as_json
@click.pass_obj
def backup(settings: Settings, file: Path, *, js: bool) -> None:
    """Write the ledger, its evidence and the board packs' snapshots to FILE, with an anchor."""
    from app.govern.backup import backup as write

    report.emit(write(_ledger(settings), settings, file), js=js)


@click.command()
@click.argument("file", type=_file)
@click.option("--key", default=None, metavar="HEX", help="The public key the backup must be signed by.")
@as_json
@click.pass_obj
def restore(settings: Settings, file: Path, key: str | None, *, js: bool) -> None:
    """Bring FILE back into an empty ledger, all of it or nothing, and verify it."""
    from app.govern.backup import restore as bring

    report.emit(bring(_ledger(settings), settings, file, key), js=js)


@ledger.command()
@click.argument("register")
@click.argument("record_id")
@as_json
@click.pass_obj
def history(settings: Settings, register: str, record_id: str, *, js: bool) -> None:
    """Print who changed what of a record, and when."""
    from app.govern import rows

    with _ledger(settings).store.read() as db:
        versions = rows.history(db, rows.register_of(register).name, record_id)
    if not versions:
        raise click.BadParameter(f"there is no {record_id!r} in {register}", param_hint="RECORD_ID")
    before: dict[str, Value] = {}
    lines = []
    for row in versions:
        changes = rows.changes(before, row.values)
        lines.append(
            Line(register, record_id, row.version, row.seq, row.at.isoformat(), row.by.identity, row.state, row.reason, changes)
        )  # fmt: skip
        before = dict(row.values)
    report.emit(tuple(lines), js=js)


@click.command()
@as_json
@click.pass_obj
def migrate(settings: Settings, *, js: bool) -> None:
    """Bring the ledger's schema to this app's revision; nothing changes if a step fails."""
    from app.govern import anchors
    from app.govern.open import store_of
    from app.govern.verify import head_of
    from data import migrations
    from data.ledger_types import utc_text

    store = store_of(settings)
    migrations.upgrade(store)
    if (
        anchors.newest(settings) is not None
    ):  # the upgraded file has other bytes than the one that was anchored
        anchors.keep(settings, head_of(store), utc_text(utc_now()))
    report.emit(Written(f"revision {store.revision()}", store.shown), js=js)


for _command in (verify, backup, restore):
    ledger.add_command(_command)
COMMANDS: tuple[click.Command, ...] = (admin, ledger, verify, backup, restore, migrate)
