"""The criteria of the gates. A term names a register check, or a metric with its bound; a review freezes what it means.

At least T is judged on the lower bound of the 95 % interval, at most T on the upper one: met only when the whole
interval is on the right side. A kill criterion stops an initiative once its interval is wholly on the wrong side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TIER_1, TIER_2, TIER_3 = "tier 1", "tier 2", "tier 3"
ALL_TIERS = (TIER_1, TIER_2, TIER_3)
UPPER_TIERS = (TIER_1, TIER_2)


class Weight(StrEnum):
    MUST = "must meet"
    SHOULD = "should meet"
    KILL = "kill"


class Source(StrEnum):
    """Where a metric criterion's bound comes from."""

    FIXED = "gate template"
    TARGET = "target in the ledger"
    CASE = "business case"
    POSTURE = "declared posture"


@dataclass(frozen=True)
class Term:
    """One criterion as the template states it, for the tiers named.

    `check`: a register criterion, by its name. `metric`: a metric criterion; `subject` is the dimension that the
    initiative's own models or experiments fill. `max_age_days`: of the data, or of a test. `expedited`: asked for on the
    fast track too; everything else waits for the ratification.
    """

    key: str
    title: str
    weight: Weight
    check: str = ""
    metric: str = ""
    comparator: str = "at least"
    threshold: float | None = None
    source: Source = Source.FIXED
    subject: str = ""
    segment: tuple[tuple[str, str], ...] = ()
    window_days: int | None = None
    min_n: int = 30
    max_age_days: int = 14
    tiers: tuple[str, ...] = ALL_TIERS
    expedited: bool = False

    @property
    def bound(self) -> str:
        """The end of the interval that must be on the right side."""
        return "lower bound" if self.comparator == "at least" else "upper bound"


def _register(
    key: str, title: str, weight: Weight = Weight.MUST, days: int = 0, tiers: tuple[str, ...] = ALL_TIERS, *,
    expedited: bool = False,
) -> Term:  # fmt: skip
    return Term(key, title, weight, check=key, max_age_days=days, tiers=tiers, expedited=expedited)


_OWNER = _register("owner", "One accountable owner with authority, review not overdue", expedited=True)
_HYPOTHESIS = _register("hypothesis", "A hypothesis with a metric and the smallest change worth having")
_DECISIONS = _register("decisions", "Decisions it takes, with oversight and fallback", expedited=True)
_POSTURE = _register(
    "posture", "Acceptable error declared for every decision, review not overdue", expedited=True
)
_BASELINE = _register("baseline", "A baseline approved by a second person", tiers=UPPER_TIERS)
# Once a trial measures the benefit against a holdout, the documented baseline is a second witness.
_DOCUMENTED = _register(
    "baseline", "A baseline approved by a second person", Weight.SHOULD, tiers=UPPER_TIERS
)
_CONTRACTS = _register("contracts", "Data contracts of what it is judged by are kept", expedited=True)
_RISKS = _register("risks", "Risks are recorded and stay inside tolerance")
_ROLLBACK = _register("rollback", "Rollback tested within half a year", days=180)
_CARD = _register("card", "Model card claims inside today's intervals", days=14, tiers=UPPER_TIERS)
_STOPPABLE = _register("runbook", "Rollback plan, runbook and somebody on call", expedited=True)
_VALIDATED = _register(
    "validation", "Validation report observed and not expired", Weight.SHOULD, tiers=(TIER_1,)
)
_NOTHING_OPEN = _register("nothing open", "No acceptance or exception is still in force")

_CASE = Term(
    "benefit", "Benefit at least what the business case promised", Weight.MUST, source=Source.CASE,
    subject="experiment_id", min_n=200, max_age_days=30,
)  # fmt: skip
_NO_HARM = Term(
    "no harm", "The trial is not proven to do harm", Weight.KILL, metric="value.mean_difference", threshold=0.0,
    subject="experiment_id", min_n=100, max_age_days=30, expedited=True,
)  # fmt: skip
_SPLIT = Term(
    "split", "Arms were filled as registered", Weight.MUST, metric="value.srm_p_value", threshold=0.001,
    subject="experiment_id", min_n=100, max_age_days=30,
)  # fmt: skip
_RANKING = Term(
    "ranking", "Ranking quality as promised", Weight.MUST, metric="model.auc", source=Source.TARGET,
    subject="model_id", window_days=91, min_n=200,
)  # fmt: skip
_INSIDE = Term(
    "error", "Error inside the declared posture", Weight.MUST, source=Source.POSTURE, window_days=91
)
_COVERAGE = Term(
    "coverage", "Most predictions are checked against the truth", Weight.SHOULD, metric="model.label_coverage",
    threshold=0.6, subject="model_id", window_days=91,
)  # fmt: skip
_FAIR = Term(
    "fairness", "Four-fifths rule in every group", Weight.SHOULD, metric="fairness.four_fifths", threshold=0.8,
    subject="model_id", window_days=91, min_n=200, tiers=UPPER_TIERS,
)  # fmt: skip
_IN_TIME = Term(
    "in time", "Signals acted on within their window", Weight.SHOULD, metric="activation.in_window_share",
    source=Source.TARGET, subject="model_id", window_days=28, min_n=100,
)  # fmt: skip
_LINKED = Term(
    "linked", "Signals name a person", Weight.MUST, metric="identity.unlinkable_share", comparator="at most",
    threshold=0.05, window_days=91, min_n=100,
)  # fmt: skip
_ONE_PERSON = Term(
    "one person", "A person is few records", Weight.MUST, metric="identity.records_per_person", comparator="at most",
    threshold=2.0, min_n=100,
)  # fmt: skip
_QUIET = Term(
    "quiet", "Nothing is sent any more", Weight.MUST, metric="activation.signals", comparator="at most", threshold=0.0,
    subject="model_id", window_days=28, min_n=0,
)  # fmt: skip

TERMS: dict[str, tuple[Term, ...]] = {
    "hypothesis": (_OWNER, _HYPOTHESIS),
    "data reality": (_OWNER, _HYPOTHESIS, _DECISIONS, _CONTRACTS, _LINKED, _ONE_PERSON),
    "pilot": (_OWNER, _HYPOTHESIS, _DECISIONS, _POSTURE, _CONTRACTS, _RISKS, _BASELINE, _STOPPABLE, _NO_HARM),
    "production": (
        _OWNER, _POSTURE, _BASELINE, _CONTRACTS, _RISKS, _ROLLBACK, _CARD, _RANKING, _INSIDE, _SPLIT, _NO_HARM, _COVERAGE,
        _FAIR, _VALIDATED,
    ),
    "scale": (_OWNER, _POSTURE, _DOCUMENTED, _CONTRACTS, _RISKS, _ROLLBACK, _CASE, _SPLIT, _NO_HARM, _IN_TIME),
    "sustain": (
        _OWNER, _POSTURE, _CONTRACTS, _RISKS, _ROLLBACK, _CARD, _RANKING, _INSIDE, _CASE, _NO_HARM, _ONE_PERSON, _COVERAGE,
        _IN_TIME, _FAIR,
    ),
    "retire": (_OWNER, _NOTHING_OPEN, _QUIET),
}  # fmt: skip
