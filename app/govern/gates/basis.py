"""What a decision rests on, frozen: canonical JSON under one SHA-256, read back, and compared with what is found today."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.govern.gates.criteria import Criterion
from app.govern.gates.evaluate import Evaluation
from app.govern.gates.findings import Finding, Standing, standing
from data.audit import Json, canonical, sha256
from data.policies.gates import template_of
from metrics.core.metric import Reading, Unit
from metrics.core.verdict import State

FORMAT = "throughline-gate-basis-1"
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Basis:
    """A frozen evaluation: its canonical text, that text's SHA-256, and the findings read from it.

    `code`: SHA-256 over the code that computed it. `conditions`: identifiers and terms of the conditions adopted.
    """

    text: str
    sha256: str
    initiative: str
    gate: str
    track: str
    tier: str
    template: str
    code: str
    findings: tuple[Finding, ...]
    conditions: tuple[str, ...] = ()

    @property
    def standing(self) -> Standing:
        return standing(self.findings, template_of(self.template).rule(self.tier, self.track))


@dataclass(frozen=True)
class Change:
    """A criterion whose evidence is not what it was. `material`: the decision may not rest on the old one any more."""

    key: str
    title: str
    before: str
    after: str
    why: str
    material: bool


def freeze(found: Evaluation, conditions: tuple[str, ...] = ()) -> Basis:
    """The evaluation as it is kept. The same findings give the same text, whenever they are frozen."""
    content: dict[str, Json] = {
        "format": FORMAT, "initiative": found.initiative, "gate": found.gate, "track": found.track, "tier": found.tier,
        "template": found.template, "code": code_version(), "conditions": list(conditions),
        "findings": [_finding(f) for f in found.findings],
    }  # fmt: skip
    return thaw(canonical(content))


def thaw(text: str) -> Basis:
    """A basis from its text. Raises ValueError for anything that `freeze` did not write."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT or canonical(found) != text:
            raise ValueError("it is not in canonical form")
        return Basis(
            text, sha256(text), found["initiative"], found["gate"], found["track"], found["tier"], found["template"],
            found["code"], tuple(_read(f) for f in found["findings"]), tuple(found["conditions"]),
        )  # fmt: skip
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"this text is no frozen basis: {error}") from error


def _finding(one: Finding) -> dict[str, Json]:
    return {
        "criterion": asdict(one.criterion), "state": one.state.value, "why": one.why, "groups": one.groups,
        "contracts": list(one.contracts), "facts": list(one.facts), "definition": one.definition,
        "reading": None if one.reading is None else _reading(one.reading),
    }  # fmt: skip


def _reading(one: Reading) -> dict[str, Json]:
    return {
        "key": one.key, "by": [[k, v] for k, v in one.by], "value": one.value, "low": one.low, "high": one.high, "n": one.n,
        "numerator": one.numerator, "denominator": one.denominator, "unit": one.unit.value, "method": one.method,
        "reason": one.reason, "warnings": list(one.warnings), "version": one.version,
        "as_of": None if one.as_of is None else one.as_of.isoformat(),
    }  # fmt: skip


def _read(found: dict[str, Any]) -> Finding:
    terms = found["criterion"]
    where = tuple((str(n), str(v)) for n, v in terms["where"])
    held = found["reading"]
    return Finding(
        Criterion(**{**terms, "where": where}), State(found["state"]), found["why"],
        None if held is None else _reading_of(held), found["groups"], tuple(found["contracts"]), tuple(found["facts"]),
        found["definition"],
    )  # fmt: skip


def _reading_of(held: dict[str, Any]) -> Reading:
    as_of = held["as_of"]
    return Reading(
        held["key"], tuple((k, v) for k, v in held["by"]), held["value"], held["low"], held["high"], held["n"],
        held["numerator"], held["denominator"], Unit(held["unit"]), held["method"], held["reason"],
        tuple(held["warnings"]), None if as_of is None else dt.datetime.fromisoformat(as_of), held["version"],
    )  # fmt: skip


def changes(before: tuple[Finding, ...], after: tuple[Finding, ...]) -> tuple[Change, ...]:
    """What moved between two looks at the same criteria, in their order. Refreshed data with the same numbers did not."""
    now = {f.criterion.key: f for f in after}
    found = (_change(one, now.get(one.criterion.key)) for one in before)
    return tuple(c for c in found if c is not None)


def _change(then: Finding, now: Finding | None) -> Change | None:
    key, title = then.criterion.key, then.criterion.title
    if now is None:
        return Change(
            key, title, then.state.value, "gone", "the criterion is not asked any more", material=True
        )
    reasons = _material(then, now)
    moved = (
        then.state is not now.state or reasons or _numbers(then) != _numbers(now) or then.facts != now.facts
    )
    if not moved:
        return None
    why = "; ".join(reasons) or ("the records changed" if then.facts != now.facts else "the number moved")
    return Change(key, title, then.state.value, now.state.value, why, bool(reasons))


def _material(then: Finding, now: Finding) -> tuple[str, ...]:
    """Why the old evidence does not stand: another verdict, definition, baseline or contract, or a number outside."""
    a, b = then.reading, now.reading
    inside = (
        a is None or b is None or a.value is None or b.value is None or a.low is None or a.high is None
        or a.low <= b.value <= a.high
    )  # fmt: skip
    measured = bool(then.definition and now.definition)
    reasons = (
        f"it was {then.state.value} and is {now.state.value}" if then.state is not now.state else "",
        "its definition changed" if measured and then.definition != now.definition else "",
        "the baseline is another one"
        if then.criterion.check == "baseline" and then.facts != now.facts
        else "",
        "a contract is broken" if now.contracts and not then.contracts else "",
        "today's value lies outside the interval of then" if not inside else "",
    )
    return tuple(r for r in reasons if r)


def _numbers(one: Finding) -> tuple[float | None, ...]:
    r = one.reading
    return () if r is None else (r.value, r.low, r.high, r.n)


@cache
def code_version() -> str:
    """SHA-256 over the source of what computes a basis: two decisions of the same code have the same."""
    digest = hashlib.sha256()
    rooms = ("metrics", "data", "app/measure", "app/govern/gates")
    for path in sorted(p for room in rooms for p in (_ROOT / room).rglob("*.py")):
        digest.update(f"{path.relative_to(_ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
