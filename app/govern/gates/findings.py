"""What was found of each criterion, and what all findings together allow. Pure: no ledger, no warehouse, no clock."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from app.govern.gates.criteria import Criterion
from data.policies.gates import Rules, Weight
from metrics.core.metric import Reading
from metrics.core.verdict import State


@dataclass(frozen=True)
class Finding:
    """One criterion judged: the state, why, and what that rests on.

    `reading`: of a metric criterion, the weakest of `groups`. `contracts`: broken contracts that make the number
    inadmissible. `facts`: records with their versions. `definition`: the metric's and rollup's definition versions.
    """

    criterion: Criterion
    state: State
    why: str
    reading: Reading | None = None
    groups: int = 0
    contracts: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    definition: str = ""

    @property
    def blocked(self) -> bool:
        """No decision may rest on it and no condition can stand in for it."""
        return bool(self.contracts) and self.state is not State.MET

    @property
    def killed(self) -> bool:
        return self.criterion.kill and self.state is State.NOT_MET


@dataclass(frozen=True)
class Standing:
    """Whether a gate holds on its findings, and why not.

    `gaps`: keys of must-meet criteria that are not met; `must_met`: how many are met.
    """

    holds: bool
    why: str
    gaps: tuple[str, ...]
    waived: tuple[str, ...]
    blocked: tuple[str, ...]
    killed: tuple[str, ...]
    should_met: int
    should_needed: int
    must_met: int


def standing(findings: tuple[Finding, ...], rules: Rules) -> Standing:
    """All must-meet criteria met, none inadmissible, no kill criterion proven, enough should-meet ones met.

    Only `met` passes. What is not applicable is left out, but at least one must-meet criterion has to be met: an empty
    list never passes. A kill criterion that could not be measured does not clear the initiative, so it is a gap.
    """
    asked = tuple(f for f in findings if f.state is not State.NOT_APPLICABLE)
    musts = tuple(f for f in asked if f.criterion.must)
    waived = _keys(f for f in musts if f.state is State.WAIVED)
    gaps = _keys(
        f
        for f in asked
        if (f.criterion.must and f.state not in (State.MET, State.WAIVED))
        or (f.criterion.kill and f.state not in (State.MET, State.INCONCLUSIVE, State.NOT_MET))
    )
    should = tuple(f for f in asked if f.criterion.weight == Weight.SHOULD)
    met = sum(f.state is State.MET for f in should)
    needed = math.floor(len(should) * rules.should_least)
    killed, blocked = _keys(f for f in findings if f.killed), _keys(f for f in asked if _stops(f))
    passed = sum(f.state is State.MET for f in musts)
    reasons = (
        f"{_named(killed)} is proven" if killed else "",
        f"a broken contract makes {_named(blocked)} inadmissible" if blocked else "",
        *_unmet(tuple(f for f in asked if f.criterion.key in set(gaps) - set(blocked))),
        f"only waived: {_named(waived)}" if waived else "",
        f"{met} of {needed} should-meet criteria that are needed" if met < needed else "",
        "" if passed else "no must-meet criterion is met",
    )
    why = "; ".join(r for r in reasons if r)
    return Standing(
        not why, why or "every must-meet criterion is met", gaps, waived, blocked, killed, met, needed, passed
    )


def _unmet(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """What does not hold, by how: an interval that straddles its threshold is not the same as one on the wrong side."""
    by_state = {state: _keys(f for f in findings if f.state is state) for state in State}
    return tuple(f"{state.value}: {_named(keys)}" for state, keys in by_state.items() if keys)


def _stops(finding: Finding) -> bool:
    return finding.blocked and finding.criterion.weight != Weight.SHOULD


def _keys(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f.criterion.key for f in findings)


def _named(keys: tuple[str, ...]) -> str:
    return ", ".join(keys)
