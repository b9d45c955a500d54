"""Backup and restore. The trail implies every row, so a backup is the trail, its anchor, the evidence files and the packs.

It is the same on SQLite and PostgreSQL: a backup of one restores on the other, with the same hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from app.govern import anchors, evidence
from app.govern.anchors import Head
from app.govern.model import Ledger
from app.govern.verify import entries, head_of, verify
from app.settings import Settings
from data import audit
from data.audit import Entry, canonical
from data.disk import whole
from data.ledger import AUDIT, TABLES, raw
from data.ledger_store import LedgerError
from data.ledger_types import utc_text

_TRAIL, _ANCHOR, _FILES, _PACKS = "trail.jsonl", "anchor.txt", "evidence/", "packs/"


@dataclass(frozen=True)
class Backup:
    """What a backup holds, or what a restore brought back."""

    file: str
    entries: int
    head: str
    evidence: int
    packs: int = 0


def backup(ledger: Ledger, settings: Settings, path: Path) -> Backup:
    """Write the ledger, its evidence and the snapshots of its board packs to one file, whole or not at all; keep its anchor.

    Raises LedgerError for a ledger or a snapshot that does not verify: a backup of a broken one would replace a good one.
    """
    files = evidence.folder(settings)
    proof = verify(ledger.store, deep=True, files=files)
    if proof.state != "intact":
        what = proof.findings[0].detail if proof.findings else "it is empty"
        raise LedgerError(f"no backup was made: the ledger is {proof.state} ({what})")
    path.parent.mkdir(parents=True, exist_ok=True)
    with ledger.store.read() as db, whole(path) as out:
        return _pack(db, settings, ledger, out, path)


def _pack(db: sa.Connection, settings: Settings, ledger: Ledger, out: object, path: Path) -> Backup:
    """Trail, anchor and files into an open zip, from one consistent look at the ledger."""
    trail = tuple(entries(db))
    chain = audit.verify(trail)
    head, at = Head(chain, trail[0].hash), utc_text(ledger.clock())
    anchor = anchors.make(settings, head, at)  # of the entries: a backup has another file than the ledger
    columns = [TABLES[name].c[column] for name, column in evidence.KEPT_IN]
    hashes = sorted({h for c in columns for h in db.execute(sa.select(c).where(c.is_not(None))).scalars()})
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:  # type: ignore[call-overload]
        pack.writestr(_TRAIL, "".join(canonical(asdict(e)) + "\n" for e in trail))
        pack.writestr(_ANCHOR, anchor.text)
        for sha256 in hashes:
            pack.write(evidence.path_of(evidence.folder(settings), sha256), _FILES + sha256)
        packs = _pack_snapshots(pack, settings)
    anchors.keep(settings, replace(head, file=ledger.store.digest()), at)
    return Backup(str(path), chain.count, chain.head, len(hashes), packs)


def _pack_snapshots(pack: zipfile.ZipFile, settings: Settings) -> int:
    """Every kept snapshot under its name; how many there are."""
    kept = sorted((settings.home / "packs").glob("*.json"))
    for file in kept:
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != file.stem:
            raise LedgerError(
                f"no backup was made: the snapshot {file} was altered; restore it, or move it away"
            )
        pack.writestr(f"{_PACKS}{file.name}", content)
    return len(kept)


def restore(ledger: Ledger, settings: Settings, path: Path, trusted: str | None = None) -> Backup:
    """Bring a backup into an empty ledger, all of it or nothing, and verify what is there then.

    `trusted`: the public key the backup must be signed by, as hex digits. Raises LedgerError.
    """
    with _opened(path) as pack:
        trail = tuple(_entry(line) for line in pack.read(_TRAIL).decode().splitlines())
        anchor = anchors.parse(pack.read(_ANCHOR).decode())
        chain = audit.verify(trail)
        first = {e.seq: e.hash for e in trail if e.seq in (1, anchor.count)}
        wrong = (*chain.findings, *anchors.against(chain, first, anchor, trusted))
        if wrong or chain.count != anchor.count:
            what = wrong[0].detail if wrong else "it holds more than was signed"
            raise LedgerError(f"{path} is not a sound backup: {what}")
        hashes = [n.removeprefix(_FILES) for n in pack.namelist() if n.startswith(_FILES)]
        for sha256 in hashes:
            _bring_file(pack, evidence.folder(settings), sha256)
        packs = tuple(_bring_pack(pack, settings, n) for n in pack.namelist() if n.startswith(_PACKS))
    _bring_rows(ledger, trail)
    proof = verify(ledger.store, deep=True, anchor=anchor, files=evidence.folder(settings))
    if proof.state != "intact":
        raise LedgerError(f"restored, but it does not verify: {proof.findings[0].detail}")
    anchors.keep(settings, head_of(ledger.store), utc_text(ledger.clock()))
    return Backup(str(path), chain.count, chain.head, len(hashes), len(packs))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as pack:
            yield pack
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise LedgerError(f"{path} is not a sound backup: {error}") from error


def _entry(line: str) -> Entry:
    return Entry(**json.loads(line))


def _bring_file(pack: zipfile.ZipFile, root: Path, sha256: str) -> None:
    with pack.open(_FILES + sha256) as source:
        kept = evidence.keep(root, source, evidence.MOST_EVER)
    if kept.sha256 != sha256:
        raise LedgerError(f"the evidence file {sha256} in the backup was altered")


def _bring_pack(pack: zipfile.ZipFile, settings: Settings, name: str) -> Path:
    """One snapshot of a board pack, under the name that its bytes have."""
    from app.govern.pack.snapshot import MOST_BYTES  # knows every metric, which backups do not need

    if pack.getinfo(name).file_size > MOST_BYTES:
        raise LedgerError(f"{name} in the backup is larger than any snapshot")
    content = pack.read(name)
    if name != f"{_PACKS}{hashlib.sha256(content).hexdigest()}.json":
        raise LedgerError(f"the snapshot {name} in the backup was altered")
    path = settings.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(content)
    return path


def _bring_rows(ledger: Ledger, trail: tuple[Entry, ...]) -> None:
    """Entries and the rows they imply, in one transaction. The only write beside `commands`: it writes what was written."""
    with ledger.store.write() as db:
        if db.execute(sa.select(sa.func.count()).select_from(AUDIT)).scalar_one():
            raise LedgerError(
                "this ledger is not empty; restore into an empty one (another --home or database)"
            )
        for entry in trail:
            db.execute(AUDIT.insert().values(**asdict(entry)))
            if entry.outcome == "done":
                db.execute(raw(TABLES[entry.register]).insert().values(**json.loads(entry.body)["row"]))
