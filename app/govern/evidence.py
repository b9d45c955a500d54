"""Evidence files: kept outside the database under the SHA-256 of their bytes, never under a name somebody chose."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.settings import Settings
from data.disk import sha256_of, sync_folder

MOST_BYTES = 50 * 1024 * 1024
MOST_EVER = 2 << 30  # what the command line takes
# Registers whose records name kept files by their hash: what verification reads and a backup holds.
KEPT_IN = (
    ("evidence", "sha256"),
    ("baselines", "sha256"),
    ("baselines", "rows_sha256"),
    ("study_results", "sha256"),
)
_CHUNK = 1024 * 1024


class EvidenceError(ValueError):
    """A file that cannot be kept or is not what it was."""


@dataclass(frozen=True)
class Kept:
    """A file in the store: its hash and its size in bytes."""

    sha256: str
    bytes: int


def folder(settings: Settings) -> Path:
    return settings.home / "evidence"


def path_of(root: Path, sha256: str) -> Path:
    """Where a file lies. The hash has been checked to be one, so it cannot lead out of the folder."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise EvidenceError(f"{sha256[:80]!r} is no SHA-256")
    return root / sha256[:2] / sha256


def keep(root: Path, source: IO[bytes], most: int = MOST_BYTES) -> Kept:
    """Copy a stream of at most `most` bytes into the store, whole or not at all; the same bytes are kept once."""
    root.mkdir(parents=True, exist_ok=True)
    partial = root / f"{uuid.uuid4().hex}.tmp"
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("wb") as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise EvidenceError(
                        f"the file is larger than {most // 1024**2} MB; keep it elsewhere and link it"
                    )
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        path = path_of(root, digest.hexdigest())
        path.parent.mkdir(exist_ok=True)
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return Kept(digest.hexdigest(), size)


def fault(root: Path, sha256: str) -> str | None:
    """What is wrong with a kept file; None where its bytes have their hash."""
    try:
        path = path_of(root, sha256)
    except EvidenceError as error:
        return str(error)
    if not path.exists():
        return "the file is missing"
    return None if sha256_of(path) == sha256 else "the file's bytes were altered"
