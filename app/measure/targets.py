"""Dated targets, read from `<home>/targets.toml`. The ledger will serve them through this same function."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path

from metrics.core.verdict import Comparator, Target


class TargetError(ValueError):
    """A target that cannot be read; the message names its position and field."""


def load_targets(home: Path) -> tuple[Target, ...]:
    """Targets of a home folder; none where the file is absent."""
    path = home / "targets.toml"
    if not path.exists():
        return ()
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("target", [])
    except tomllib.TOMLDecodeError as error:
        raise TargetError(f"{path}: {error}") from error
    return tuple(_target(path, at, row) for at, row in enumerate(rows, start=1))


def _target(path: Path, at: int, row: Mapping[str, object]) -> Target:
    try:
        return Target(
            metric=str(row["metric"]),
            comparator=Comparator(str(row["comparator"])),
            threshold=float(str(row["threshold"])),
            min_n=int(str(row.get("min_n", 30))),
            max_age=dt.timedelta(days=float(str(row.get("max_age_days", 7)))),
            where=tuple(sorted((str(k), str(v)) for k, v in dict(row.get("where", {})).items())),  # type: ignore[call-overload]
            valid_from=_date(row.get("valid_from"), dt.date.min),
            valid_to=_date(row.get("valid_to"), dt.date.max),
            note=str(row.get("note", "")),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise TargetError(f"{path}: target {at}: {error}") from error


def _date(value: object, default: dt.date) -> dt.date:
    if value is None or value == "":
        return default
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
