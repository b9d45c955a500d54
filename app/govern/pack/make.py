"""From today's numbers to a kept snapshot, and from a snapshot to a file in one of three forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.govern import anchors
from app.govern.model import Actor, Ledger
from app.govern.pack.gather import gather
from app.govern.pack.model import Chain
from app.govern.pack.snapshot import PackError, Snapshot, keep
from app.govern.verify import head_of
from app.govern.views import Room, open_room
from app.measure.manner import plainly
from app.runtime import Runtime
from data.disk import whole
from data.ledger_types import utc_text


@dataclass(frozen=True)
class Printed:
    """A pack in one form. `pages`: pages, slides or sheets."""

    form: str
    content: bytes
    pages: int


@dataclass(frozen=True)
class Written:
    """What `pack` answers: the file, the snapshot it was printed from, and the anchor in it."""

    path: str
    snapshot: str
    pages: int
    bytes: int
    made: str
    entries: int
    head: str
    anchor: str

    def message(self) -> str:
        return f"{self.path}: {self.pages} pages, snapshot {self.snapshot}\n\n{self.anchor}"


def make(runtime: Runtime, actor: Actor, now: dt.datetime) -> Snapshot:
    """Anchor the ledger, gather today's pack and keep it. Raises PackError where there is no ledger to report on."""
    ledger = runtime.door.ledger()
    if ledger is None:
        raise PackError("there is no ledger here, so there is nothing to report; run: python -m app migrate")
    room = open_room(ledger, actor, runtime.watch)
    if not room.roles:
        raise PackError("whoever has no role in the ledger cannot take a pack away; ask an administrator")
    return of_room(runtime, room, now)


def of_room(runtime: Runtime, room: Room, now: dt.datetime) -> Snapshot:
    """The same for a ledger that is open already, such as a page's."""
    with plainly():
        return keep(runtime.settings, gather(runtime, room, _anchored(runtime, room.ledger, now)))


def _anchored(runtime: Runtime, ledger: Ledger, now: dt.datetime) -> Chain:
    """Verify the chain, sign its head, keep the anchor outside the ledger."""
    made = anchors.keep(runtime.settings, head_of(ledger.store), utc_text(now))
    return Chain(made.count, made.head, made.text, made.key)


def printed(snapshot: Snapshot, form: str) -> Printed:
    """The snapshot in a form: pdf, pptx or xlsx."""
    with plainly():
        content, pages = FORMS[form](snapshot)
    return Printed(form, content, pages)


def write(snapshot: Snapshot, file: Printed, path: Path) -> Written:
    """Put a printed pack where it was asked for, whole or not at all."""
    with whole(path) as target:
        target.write(file.content)
    pack = snapshot.pack
    return Written(
        str(path), snapshot.id, file.pages, len(file.content), pack.made.isoformat(), pack.chain.entries, pack.chain.head,
        pack.chain.anchor,
    )  # fmt: skip


def _pdf(snapshot: Snapshot) -> tuple[bytes, int]:
    from app.govern.pack.pdf import pdf  # a printer is loaded when it prints

    return pdf(snapshot)


def _pptx(snapshot: Snapshot) -> tuple[bytes, int]:
    from app.govern.pack.pptx import pptx

    return pptx(snapshot)


def _xlsx(snapshot: Snapshot) -> tuple[bytes, int]:
    from app.govern.pack.xlsx import xlsx

    return xlsx(snapshot)


FORMS: dict[str, Callable[[Snapshot], tuple[bytes, int]]] = {"pdf": _pdf, "pptx": _pptx, "xlsx": _xlsx}
