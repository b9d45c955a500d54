"""The audit chain: canonical JSON, hashes that hold the sequence and the previous hash, and its verification. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from data.ledger_types import Stored

FORMAT = "throughline-audit-1"
NOTHING = "0" * 64  # what the first entry follows

Json = Stored | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: Json) -> str:
    """One text for one value: sorted keys, no blanks, no NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One line of the trail. `at` is UTC text, `body` canonical JSON, `request` the hash of what was asked.

    `outcome`: done (the body holds the row version written with it) or denied (the body says why).
    """

    seq: int
    at: str
    issuer: str
    subject: str
    verb: str
    register: str
    record_id: str
    version: int
    outcome: str
    idempotency_key: str | None
    request: str
    body: str
    previous: str
    hash: str = ""

    def sealed(self) -> Entry:
        """The entry with the hash over everything else in it."""
        return replace(self, hash=hash_of(self))


def hash_of(entry: Entry) -> str:
    content = {k: v for k, v in asdict(entry).items() if k != "hash"}
    return sha256(canonical({"format": FORMAT, **content}))


@dataclass(frozen=True)
class Finding:
    """Something that does not hold. `seq` is the audit entry concerned, None where there is none."""

    seq: int | None
    kind: str
    detail: str


@dataclass(frozen=True)
class Chain:
    """How far a trail goes and what is wrong with it. `head` is the last entry's hash."""

    count: int
    head: str
    findings: tuple[Finding, ...]


def verify(entries: Iterable[Entry]) -> Chain:
    """Recompute every hash and link of entries in the order of their sequence; nothing is skipped at either end."""
    count, head, findings = 0, NOTHING, []
    for entry in entries:
        findings += _faults(entry, count + 1, head)
        count, head = entry.seq, entry.hash
    return Chain(count, head, tuple(findings))


def _faults(entry: Entry, expected: int, previous: str) -> list[Finding]:
    found = []
    if entry.seq > expected:
        gone = f"{expected}" if entry.seq == expected + 1 else f"{expected} to {entry.seq - 1}"
        found.append(Finding(expected, "missing", f"entry {gone} is not there"))
    if entry.seq < expected:
        found.append(Finding(entry.seq, "order", f"entry {entry.seq} stands where {expected} belongs"))
    if entry.hash != _recomputed(entry):
        found.append(
            Finding(entry.seq, "altered", f"entry {entry.seq} does not have the hash of its content")
        )
    if entry.previous != previous and entry.seq == expected:
        found.append(Finding(entry.seq, "link", f"entry {entry.seq} does not follow the entry before it"))
    return found


def _recomputed(entry: Entry) -> str:
    """The hash again; a value that no writer of this app can have stored has none."""
    try:
        return hash_of(entry)
    except (TypeError, ValueError):
        return "not hashable"
