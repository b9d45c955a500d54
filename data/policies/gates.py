"""Stage gates as dated data: what each gate asks for, how strictly by materiality, and how a council decides on it.

Our own rules, after Cooper's stage-gate (must-meet, should-meet and kill criteria; gatekeepers apart from the team) and
NIST AI RMF 1.0 MANAGE 1.1 and 2.2 to 2.4. A review keeps the version it was opened under.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from data.policies.gate_terms import (
    ALL_TIERS,
    TERMS,
    TIER_1,
    TIER_2,
    TIER_3,
    Source,
    Term,
    Weight,
)

GATES = ("hypothesis", "data reality", "pilot", "production", "scale", "sustain", "retire")
TRACKS = ("standard", "expedited")
OUTCOMES = ("go", "conditional go", "hold", "recycle", "kill")
VOTES = ("approve", "approve with conditions", "reject", "abstain", "recused")


@dataclass(frozen=True)
class Rules:
    """How a council decides: shares of the independent members who must vote, and of the votes that must approve.

    `seats`: at least this many must vote, however small the council. `should_least`: share of the
    should-meet criteria that must be met, rounded down to whole criteria. `ratify_days`: an expedited decision lapses after
    so many days; None on the standard track.
    """

    tier: str
    track: str
    quorum: float
    approval: float
    seats: int
    should_least: float
    ratify_days: int | None = None


@dataclass(frozen=True)
class Gate:
    """One gate: the question it answers and its criteria. `expedited`: whether the fast track leads through it."""

    name: str
    question: str
    terms: tuple[Term, ...]
    expedited: bool = False


@dataclass(frozen=True)
class Template:
    """All gates as they are from a day on."""

    version: str
    valid_from: dt.date
    source: str
    gates: tuple[Gate, ...]
    rules: tuple[Rules, ...]

    def gate(self, name: str) -> Gate:
        """Raises KeyError for a gate that the template does not have."""
        found = {g.name: g for g in self.gates}
        if name not in found:
            raise KeyError(f"there is no gate {name!r}; there are: {', '.join(found)}")
        return found[name]

    def rule(self, tier: str, track: str) -> Rules:
        return next(r for r in self.rules if (r.tier, r.track) == (tier, track))


_QUESTIONS = {
    "hypothesis": "Is there a business hypothesis that a measured number could refute?",
    "data reality": "Are the data there, linked and promised, before anything is built on them?",
    "pilot": "May it meet real customers on a small scale?",
    "production": "Is it good, safe and stoppable enough to run every day?",
    "scale": "Does it cause what the business case promised, in time, for more people?",
    "sustain": "Does it still do what it was approved for?",
    "retire": "Can it be switched off without leaving anything behind?",
}

_RULES = (
    Rules(TIER_1, "standard", quorum=2 / 3, approval=2 / 3, seats=3, should_least=0.5),
    Rules(TIER_2, "standard", quorum=0.5, approval=0.5, seats=2, should_least=0.5),
    Rules(TIER_3, "standard", quorum=0.5, approval=0.5, seats=2, should_least=0.0),
    Rules(TIER_1, "expedited", quorum=0.5, approval=2 / 3, seats=2, should_least=0.0, ratify_days=14),
    Rules(TIER_2, "expedited", quorum=0.5, approval=2 / 3, seats=2, should_least=0.0, ratify_days=30),
    Rules(TIER_3, "expedited", quorum=0.5, approval=0.5, seats=2, should_least=0.0, ratify_days=30),
)

TEMPLATES = (
    Template(
        "2026.1",
        dt.date(2025, 1, 1),
        "Throughline gate rules 2026.1, after Cooper (Winning at New Products) and NIST AI RMF 1.0 MANAGE 1.1, 2.2 to 2.4",
        tuple(Gate(g, _QUESTIONS[g], TERMS[g], expedited=g == "pilot") for g in GATES),
        _RULES,
    ),
)


def template_on(day: dt.date) -> Template:
    """The template in force on a day. Raises KeyError before the first."""
    held = [t for t in TEMPLATES if t.valid_from <= day]
    if not held:
        raise KeyError(f"no gate template is in force on {day}; the first is of {TEMPLATES[0].valid_from}")
    return max(held, key=lambda t: t.valid_from)


def template_of(version: str) -> Template:
    """A template by its version. Raises KeyError."""
    found = {t.version: t for t in TEMPLATES}
    if version not in found:
        raise KeyError(f"there is no gate template {version!r}; there are: {', '.join(found)}")
    return found[version]


class Vote(StrEnum):
    """What a member may say. Abstaining counts as being there, recusing does not."""

    APPROVE = "approve"
    CONDITIONS = "approve with conditions"
    REJECT = "reject"
    ABSTAIN = "abstain"
    RECUSED = "recused"


class Outcome(StrEnum):
    GO = "go"
    CONDITIONAL = "conditional go"
    HOLD = "hold"
    RECYCLE = "recycle"
    KILL = "kill"


__all__ = [
    "ALL_TIERS", "GATES", "OUTCOMES", "TEMPLATES", "TRACKS", "VOTES", "Gate", "Outcome", "Rules", "Source", "Template",
    "Term", "Vote", "Weight", "template_of", "template_on",
]  # fmt: skip
