"""Anchors: the ledger's length and head, signed and kept elsewhere. What a chain alone cannot show, they do.

A chain does not notice that its end was cut off, that an older copy of the file was put back, or that somebody rewrote
all of it. An anchor written before that does. We say tamper-evident, never tamper-proof: who owns the ledger, the key
and every anchor can still forge all three.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.settings import Settings
from data.audit import Chain, Finding
from data.disk import whole

ORIGIN = "throughline-ledger"


_CHANGED = (
    "nothing was recorded since the anchor, yet the file's bytes are not the same: a fault of the disk, or another"
    " program wrote to it; restore a backup, or make a new anchor once you know why"
)


class AnchorError(ValueError):
    """A file that is no anchor, or not the work of the key."""


@dataclass(frozen=True)
class Head:
    """Where a ledger stands: its checked chain, the hash of its first entry, and the SHA-256 of its file.

    `file` is empty for a ledger on a server and for a backup, whose bytes are not those of the ledger.
    """

    chain: Chain
    first: str
    file: str = ""


@dataclass(frozen=True)
class Anchor:
    """Head and count of a ledger at a time. `first` is the hash of its first entry: which ledger it is.

    The text is that of a checkpoint (origin, size, root, then signature), so that a witness can countersign it. `file`
    is the SHA-256 of the ledger's file, where it has one: while nothing is recorded, not a bit of it may change.
    """

    first: str
    count: int
    head: str
    at: str
    key: str
    signature: str
    file: str = ""

    @property
    def note(self) -> str:
        """The lines that are signed."""
        bytes_ = f"file {self.file}\n" if self.file else ""
        return f"{ORIGIN}/{self.first}\n{self.count}\n{self.head}\nat {self.at}\nkey {self.key}\n{bytes_}"

    @property
    def text(self) -> str:
        return f"{self.note}\n{self.signature}\n"


def parse(text: str) -> Anchor:
    """An anchor from its text, its signature checked against the key it names. Raises AnchorError."""
    lines = text.splitlines()
    if len(lines) not in (7, 8) or not lines[0].startswith(f"{ORIGIN}/") or not lines[1].isdigit():
        raise AnchorError("this is no anchor of a ledger; it should begin with " + ORIGIN)
    anchor = Anchor(
        lines[0].removeprefix(f"{ORIGIN}/"), int(lines[1]), lines[2], lines[3].removeprefix("at "),
        lines[4].removeprefix("key "), lines[-1], lines[5].removeprefix("file "),
    )  # fmt: skip
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(anchor.key))
        signature = base64.b64decode(anchor.signature, validate=True)
        public.verify(signature, anchor.note.encode())
    except (InvalidSignature, ValueError, binascii.Error) as error:
        raise AnchorError("the anchor's signature does not hold: the file was altered") from error
    if anchor.text != text or base64.b64encode(signature).decode() != anchor.signature:
        raise AnchorError("the anchor's text is not as it was written")
    return anchor


def read(path: Path) -> Anchor:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (AnchorError, UnicodeDecodeError) as error:
        raise AnchorError(f"{path}: {error}") from error


def folder(settings: Settings) -> Path:
    return settings.anchors or settings.home / "anchors"


def newest(settings: Settings) -> Anchor | None:
    """The anchor of the longest ledger in the folder of anchors, if there is one."""
    found = sorted(folder(settings).glob("anchor-*.txt"))
    return read(found[-1]) if found else None


def make(settings: Settings, head: Head, at: str) -> Anchor:
    """Sign the head of a verified chain. Raises AnchorError for an empty or a broken one."""
    chain = head.chain
    if chain.findings or not chain.count:
        raise AnchorError("an empty or broken ledger is not anchored; verify it first")
    key = _private(settings)
    unsigned = Anchor(head.first, chain.count, chain.head, at, _hex(key.public_key()), "", head.file)
    return replace(unsigned, signature=base64.b64encode(key.sign(unsigned.note.encode())).decode())


def write(settings: Settings, anchor: Anchor) -> Path:
    """Keep an anchor in the folder of anchors, whole or not at all."""
    path = folder(settings) / f"anchor-{anchor.count:010d}-{anchor.head[:12]}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(anchor.text.encode())
    return path


def keep(settings: Settings, head: Head, at: str) -> Anchor:
    """Sign the head of a verified chain and keep the anchor. Raises AnchorError as `make` does."""
    made = make(settings, head, at)
    write(settings, made)
    return made


def public_key(settings: Settings) -> str | None:
    """The public key of this installation as hex digits; None before its first anchor."""
    return _hex(_private(settings).public_key()) if _key_file(settings).exists() else None


def against(
    chain: Chain, hashes: dict[int, str], anchor: Anchor, trusted: str | None, file: str = ""
) -> tuple[Finding, ...]:
    """What an anchor says of a chain. `hashes`: of entry 1 and of the entry that the anchor names, as found now.

    `file`: the SHA-256 of the ledger's file now. A bit that flipped where nothing is stored shows in nothing else.
    """
    found: list[Finding] = []
    if trusted is not None and anchor.key != trusted:
        found.append(
            Finding(None, "anchor key", f"the anchor is signed by {anchor.key[:16]}, not by {trusted[:16]}")
        )
    if hashes.get(1) != anchor.first:
        found.append(Finding(1, "another ledger", "entry 1 is not the one that the anchor knows"))
    if chain.count < anchor.count:
        gone = f"entries {chain.count + 1} to {anchor.count} are gone: cut off, or an older copy was put back"
        found.append(Finding(chain.count + 1, "truncated", gone))
    elif hashes.get(anchor.count) != anchor.head:
        found.append(
            Finding(anchor.count, "rewritten", f"entry {anchor.count} is not the one that was anchored")
        )
    elif chain.count == anchor.count and file and anchor.file and file != anchor.file:
        found.append(Finding(None, "file changed", _CHANGED))
    return tuple(found)


def _key_file(settings: Settings) -> Path:
    return settings.home / "anchor.key"


def _private(settings: Settings) -> Ed25519PrivateKey:
    """The signing key; made once, readable by its owner only."""
    path = _key_file(settings)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.hex().encode())
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii")))


def _hex(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
