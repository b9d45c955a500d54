"""The registered plan: everything of a specification but its data, hashed and written down before any result."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

NOT_PLAN = ("data", "warehouse", "delimiter", "decimal")  # where the rows lie is no part of the plan


@dataclass(frozen=True)
class Plan:
    """A plan with its hash, and what it says about earlier plans of the same name."""

    hash: str
    text: bytes
    name: str

    @property
    def seed(self) -> int:
        """The seed of every draw made for this plan."""
        return int(self.hash[:12], 16)


def plan_of(found: Mapping[str, object], name: str) -> Plan:
    """The plan of a specification as written, in canonical JSON: same keys and values, same hash."""
    kept = {k: v for k, v in found.items() if k not in NOT_PLAN}
    if isinstance(kept.get("costs"), str):
        kept.pop("costs")  # a path; the rows are hashed with the data
    text = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return Plan(hashlib.sha256(text).hexdigest(), text, name)


def register(plan: Plan, home: Path, now: dt.datetime) -> tuple[str, ...]:
    """Write the plan down under `home`; what differs from the last plan of the same name, as warnings."""
    folder = home / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"plan-{plan.hash}.json"
    if path.exists():
        return tuple(orjson.loads(path.read_bytes())["warnings"])
    earlier = sorted(
        (
            record
            for p in folder.glob("plan-*.json")
            if (record := orjson.loads(p.read_bytes()))["name"] == plan.name
        ),
        key=lambda record: (str(record["registered_at"]), str(record["plan_hash"])),
    )
    warnings = _changes(earlier[-1], plan) if earlier else ()
    record = {
        "plan_hash": plan.hash,
        "name": plan.name,
        "registered_at": now.isoformat(),
        "warnings": warnings,
        "plan": orjson.loads(plan.text),
    }
    _write(path, orjson.dumps(record, option=orjson.OPT_INDENT_2))
    return warnings


def keep(result: bytes, plan_hash: str, data_hash: str, home: Path) -> None:
    """Keep a result beside its plan; the same plan and data give the same file again."""
    _write(
        home
        / "studies"
        / f"result-{plan_hash[:16]}-{hashlib.sha256(data_hash.encode()).hexdigest()[:16]}.json",
        result,
    )


def _changes(earlier: Mapping[str, object], plan: Plan) -> tuple[str, ...]:
    before, after = earlier["plan"], orjson.loads(plan.text)
    assert isinstance(before, dict)
    keys = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
    return (
        f"this is a changed plan: {', '.join(keys)} differ from the plan registered on "
        f"{str(earlier['registered_at'])[:10]} ({str(earlier['plan_hash'])[:12]}) under the same name",
    )


def _write(path: Path, text: bytes) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(text)
    part.replace(path)
