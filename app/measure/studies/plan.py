"""The registered plan: everything of a specification but its data, hashed and written down before any result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from app.measure.studies.spec import SpecError

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
    try:
        text = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError as error:
        raise SpecError(
            f"the plan holds a value that cannot be registered ({error}); write text, numbers, dates and lists, and"
            " numbers of more than 19 digits in quotes"
        ) from error
    return Plan(hashlib.sha256(text).hexdigest(), text, name)


def changes(earlier: bytes, on: str, hashed: str, plan: Plan) -> tuple[str, ...]:
    """What a plan changes of an earlier one of its name; `on` the day and `hashed` the hash of that one."""
    before, after = orjson.loads(earlier), orjson.loads(plan.text)
    keys = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
    return (
        f"this is a changed plan: {', '.join(keys)} differ from the plan registered on "
        f"{on} ({hashed[:12]}) under the same name",
    )
