"""Evidence as a file: kept under its hash first, then recorded; a new file for a record is its next version."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from app.govern import evidence
from app.govern.model import Add, Change, Command, Row, Values
from app.govern.views import Room
from app.govern.views_forms import Said, carry_out
from app.settings import Settings

LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A file as the browser hands it over; its name is shown and never used as a path."""

    name: str
    content: bytes


def shown_name(name: str) -> str:
    """The last part of a name in one line of printable characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "\ufffd" for c in last)[:LONGEST_NAME] or "file"


def keep(room: Room, settings: Settings, upload: Upload, row: Row | None, given: Values) -> Said:
    """Keep the file, then record it: as a new record of these values, or as the next version of `row`.

    A file without a record is harmless; a record without its file would not be, so the file comes first.
    """
    if room.actor is None:
        return Said("Nobody is signed in, so nothing was kept.")
    may = _refused(room, row)
    if may:
        return Said(may)
    try:
        kept = evidence.keep(evidence.folder(settings), io.BytesIO(upload.content))
    except (evidence.EvidenceError, OSError) as error:
        return Said(f"Nothing was kept: {error}.")
    facts: Values = (("sha256", kept.sha256), ("bytes", kept.bytes), ("file_name", shown_name(upload.name)))
    command: Command = (
        Change("evidence", row.record_id, row.version, (*given, *facts), "a new file")
        if row
        else Add("evidence", (*given, *facts), reason="uploaded")
    )
    asked = repr((room.actor.identity, command)).encode()
    return carry_out(room.ledger, command, room.actor, f"evidence/{hashlib.sha256(asked).hexdigest()}")


def _refused(room: Room, row: Row | None) -> str:
    """Why no file is taken from this reader at all; the ledger itself decides about the record."""
    if not {"analyst", "owner"} & set(room.roles):
        return f"Nothing was kept: your rights ({', '.join(room.roles) or 'no role'}) do not allow evidence."
    return (
        "" if row is None or row.state == "active" else f"Nothing was kept: {row.record_id} is {row.state}."
    )


def kept_file(settings: Settings, row: Row) -> bytes:
    """The bytes of a record's file. Raises EvidenceError where they are missing or not what they were."""
    root, sha256 = evidence.folder(settings), row.text("sha256")
    wrong = evidence.fault(root, sha256)
    if wrong:
        raise evidence.EvidenceError(f"{row.record_id}: {wrong}; restore a backup")
    return evidence.path_of(root, sha256).read_bytes()
