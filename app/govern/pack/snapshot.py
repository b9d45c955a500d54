"""A pack as canonical JSON under its SHA-256, kept whole or not at all, and read back only if it is what it was."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.govern.pack.model import FORMAT, BoardPack
from app.settings import Settings
from data.audit import Json, canonical, sha256
from data.disk import whole

MOST_BYTES = 64 * 1024 * 1024


class PackError(ValueError):
    """A pack that cannot be made, kept or read; the message says what to do."""


@dataclass(frozen=True)
class Snapshot:
    """A pack and the SHA-256 of its canonical JSON, which names it."""

    id: str
    pack: BoardPack

    @property
    def short(self) -> str:
        """Enough of the identifier to stand beside a figure."""
        return self.id[:12]


def freeze(pack: BoardPack) -> Snapshot:
    """Name a pack by its content. The same content has the same name, wherever it is made."""
    return Snapshot(sha256(canonical(plain(pack))), pack)


def keep(settings: Settings, pack: BoardPack) -> Snapshot:
    """Write a pack under its name: to a file beside it, to the disk, then renamed."""
    text = canonical(plain(pack))
    snapshot = Snapshot(sha256(text), pack)
    path = path_of(settings, snapshot.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(text.encode())
    return snapshot


def load(settings: Settings, name: str) -> Snapshot:
    """A kept pack by its identifier or the beginning of one (8 characters or more). Raises PackError."""
    wanted = name.strip().lower()
    if not 8 <= len(wanted) <= 64 or not set(wanted) <= set("0123456789abcdef"):
        raise PackError(f"{name[:80]!r} is no snapshot id; write 8 to 64 of its digits 0-9 and a-f")
    found = sorted((settings.home / "packs").glob(f"{wanted}*.json"))
    if len(found) != 1:
        what = "no snapshot" if not found else f"{len(found)} snapshots begin with it and no single one"
        raise PackError(f"there is {what} {wanted} in {settings.home / 'packs'}")
    if found[0].stat().st_size > MOST_BYTES:
        raise PackError(f"{found[0]} is larger than any snapshot; restore it from a backup")
    return thaw(found[0].read_bytes(), found[0].stem)


def thaw(content: bytes, name: str) -> Snapshot:
    """A pack from its bytes. Raises PackError where they are not those that the name stands for."""
    text = content.decode("utf-8", "surrogatepass")
    if sha256(text) != name:
        raise PackError(f"snapshot {name[:12]} was altered: its SHA-256 is {sha256(text)[:12]}; restore it")
    try:
        held = json.loads(text)
        if held["format"] != FORMAT:
            raise PackError(f"snapshot {name[:12]} has the form {held['format']}; this app reads {FORMAT}")
        pack = _read(BoardPack, held)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise PackError(f"snapshot {name[:12]} is no board pack: {error}") from error
    assert isinstance(pack, BoardPack)
    return Snapshot(name, pack)


def path_of(settings: Settings, snapshot: str) -> Path:
    return settings.home / "packs" / f"{snapshot}.json"


def plain(value: Any) -> Json:  # noqa: ANN401 (any field of a frozen record)
    """Records, times and lists as JSON has them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, str) or not isinstance(value, Sequence):
        return typing.cast("Json", value)
    return [plain(v) for v in value]


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 (types are values here)
    """The value of a type from its JSON: the way back of `plain`."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _read(next(t for t in inner if t is not types.NoneType), value)
    if origin is tuple:
        each = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_read(t, v) for t, v in zip(each, value, strict=True))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        made: Any = kind
        return made(**{f.name: _read(hints[f.name], value[f.name]) for f in dataclasses.fields(kind)})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if kind is dt.datetime:
        return dt.datetime.fromisoformat(value)
    return value
