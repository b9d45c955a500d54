"""Whether a decision may be left to a model: from the error its owner declared acceptable and what is measured.

Unmeasured never passes: without a declaration, or without data, a model may advise and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from metrics.core.verdict import State, Verdict

ALONE = ("acts alone", "acts with veto")  # levels of automation at which nobody approves first


class Right(StrEnum):
    AUTONOMOUS = "may operate autonomously"
    ADVISORY = "advisory only"
    STOP = "stop"


@dataclass(frozen=True)
class Told:
    """A verdict and what it is about, in words ("ranking quality")."""

    subject: str
    verdict: Verdict


@dataclass(frozen=True)
class Automation:
    """What a model may do and why. `exceeds`: it is set to act on its own although it may not."""

    right: Right
    why: tuple[str, ...]
    exceeds: bool = False


def automation(postures: Sequence[Told], evidence: Sequence[Told] = (), level: str = "") -> Automation:
    """The right that declared error (`postures`) and other targets (`evidence`) give to a decision set to `level`.

    Stop: a declared error is exceeded for certain. Autonomous: every declaration is met for certain, and no other target
    is broken. Advisory: all else, and where nothing is declared.
    """
    right, why = _right(postures, evidence)
    return Automation(right, why, right is not Right.AUTONOMOUS and level in ALONE)


def _right(postures: Sequence[Told], evidence: Sequence[Told]) -> tuple[Right, tuple[str, ...]]:
    if not postures:
        return Right.ADVISORY, ("no acceptable error is declared",)
    broken = [t for t in postures if t.verdict.state is State.NOT_MET]
    if broken:
        return Right.STOP, tuple(f"{t.subject} is beyond what was declared acceptable" for t in broken)
    open_ = [t for t in postures if not t.verdict.passes]
    if open_:
        return Right.ADVISORY, tuple(f"{t.subject}: {t.verdict.state.value} ({t.verdict.why})" for t in open_)
    against = [t for t in evidence if t.verdict.state is State.NOT_MET]
    if against:
        return Right.ADVISORY, tuple(f"{t.subject} misses its target" for t in against)
    return Right.AUTONOMOUS, tuple(f"{t.subject} keeps to what was declared" for t in postures)
