"""From cells to estimates: the finalisers of the suppression family."""

from __future__ import annotations

from metrics._suppression_base import REFUSED, SENT
from metrics._suppression_carried import Carried
from metrics._suppression_consent import Consents, Withheld
from metrics._suppression_persons import Exposure, Persons
from metrics._suppression_risk import AtRisk
from metrics._suppression_sends import Attempts
from metrics._suppression_stops import Stops
from metrics.core.estimates import share
from metrics.core.intervals import wilson
from metrics.core.metric import Choice, Estimate, undefined
from metrics.core.poisson import garwood
from metrics.core.turnbull import interval_quantile, turnbull

NO_SENDS = "nothing was sent to a known person in this scope: load activations and message_events"
NO_MARKETING = "no marketing message was sent to a known person in this scope"
PER_SENDS, PER_DAYS = 10_000, 1_000
POISSON = "exact Poisson"
SCALED_WILSON = "Wilson, per 10,000"
EXACT = "exact count"


def _counted(k: int, n: int, nothing: str, warnings: tuple[str, ...] = ()) -> Estimate:
    """A complete count k among n that were looked at; undefined where none were.

    A slice by stop holds the attempts charged to it in the headline view; in another view there may be more.
    """
    n = max(n, k)
    if n == 0:
        return undefined(nothing)
    return Estimate(float(k), n=n, numerator=k, denominator=n, method=EXACT, warnings=warnings)


def _sends(cells: Attempts) -> int:
    """Attempts of a slice; slices that hold only another view's charges still stand for attempts."""
    return cells.attempted(SENT) or int((cells.kind == SENT).any())


def violations_of(cells: Attempts, choice: Choice) -> Estimate:
    return _counted(cells.charged(choice, SENT), _sends(cells), NO_SENDS)


def rate_of(cells: Attempts, choice: Choice) -> Estimate:
    k, n = cells.charged(choice, SENT, where=cells.marketing), cells.attempted(SENT, marketing=True)
    if n == 0:
        return undefined(NO_MARKETING)
    rate = wilson(k, n)
    value, low, high = (PER_SENDS * x for x in (rate.value, rate.low, rate.high))
    return Estimate(value, low, high, n, k, n, SCALED_WILSON)


def crossing_of(cells: Attempts, choice: Choice) -> Estimate:
    return _counted(cells.charged(choice, SENT, where=cells.crossing), _sends(cells), NO_SENDS)


def past_deadline_of(cells: Attempts, choice: Choice) -> Estimate:
    return _counted(cells.charged(choice, SENT, where=cells.past_deadline), _sends(cells), NO_SENDS)


def near_misses_of(cells: Attempts, choice: Choice) -> Estimate:
    tried = _sends(cells) + cells.attempted(REFUSED) or int((cells.kind == REFUSED).any())
    return _counted(cells.charged(choice, REFUSED), tried, "nothing was sent or refused in this scope")


def intake_lag_of(cells: Attempts, choice: Choice) -> Estimate:
    return _counted(cells.charged(choice, SENT, "_late", clock="effective"), _sends(cells), NO_SENDS)


def identity_gap_of(cells: Attempts, choice: Choice) -> Estimate:
    return _counted(cells.charged(choice, SENT, "_apart"), _sends(cells), NO_SENDS)


def persons_of(cells: Persons, choice: Choice) -> Estimate:
    affected = cells.affected(choice)
    return _counted(affected, max(cells.messaged(), affected), NO_SENDS)


def person_days_of(cells: Exposure, choice: Choice) -> Estimate:
    k, days = cells.violated(choice), float(cells.person_days.sum())
    if days <= 0:
        return undefined("nobody lived under a stop in this scope", k)
    low, high = garwood(k)
    value, low, high = (PER_DAYS * x / days for x in (k, low, high))
    return Estimate(value, low, high, round(days), k, days, POISSON)


def clean_of(cells: Stops, choice: Choice) -> Estimate:
    clean, n, young = cells.matured(choice)
    note = (f"{young:,} stops are younger than 30 days and are left out",) if young else ()
    return share(clean, n, "no stop is 30 days old yet, up to where the sources are complete", note)


def resurrected_of(cells: Stops, _: Choice) -> Estimate:
    back = int(cells.resurrected.sum())
    return _counted(back, int(cells.n.sum()) + back, "there is no stop and no release in this scope")


def gap_of(cells: Consents, _: Choice) -> Estimate:
    return share(cells.gaps, cells.sends, NO_MARKETING)


def unproven_of(cells: Consents, _: Choice) -> Estimate:
    return _counted(cells.unproven, cells.sends, NO_MARKETING)


def withheld_of(cells: Withheld, choice: Choice) -> Estimate:
    return _counted(
        cells.wrongly(choice), int(cells.n.sum()), "no message was refused or skipped in this scope"
    )


def propagation_of(cells: Carried, choice: Choice) -> Estimate:
    kept = cells.of_policy(choice, telling=1)
    n = int(cells.n[kept].sum())
    silent = int(cells.n[cells.of_policy(choice, telling=0)].sum())
    note = (
        (f"{silent:,} pairs of a stop and a channel say nothing: neither acknowledged nor tried",)
        if silent
        else ()
    )
    curve = turnbull(cells.low[kept], cells.high[kept], cells.n[kept]) if n else None
    if curve is None:
        return undefined(
            "no stop was acknowledged by a channel or tried against in one: uninformative", n, note
        )
    half = interval_quantile(curve, 0.5)
    if half.value is None:
        return undefined("not reached: for half of the pairs no channel has been seen to obey yet", n, note)
    if half.low is None or half.high is None:
        unbounded = (*note, f"the interval has no upper end; its lower one is {half.low or 0:,.0f} s")
        return Estimate(half.value, n=n, method=half.method, warnings=unbounded)
    return Estimate(half.value, half.low, half.high, n, method=half.method, warnings=note)


def coverage_of(cells: Carried, choice: Choice) -> Estimate:
    told = int(cells.n[cells.of_policy(choice, telling=1)].sum())
    return share(
        told, int(cells.n[cells.of_policy(choice)].sum()), "no stop and reachable channel in this scope"
    )


def at_risk_of(cells: AtRisk, choice: Choice) -> Estimate:
    return _counted(*cells.persons(choice), "nobody is under a stop and reachable in this scope")


def cross_record_of(cells: Attempts, choice: Choice) -> Estimate:
    k, n = cells.charged(choice, SENT, where=cells.cross_record), cells.charged(choice, SENT)
    return share(k, n, "no violation in this scope")
