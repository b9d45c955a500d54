"""Looking before the end: intervals that stay true however often somebody looks, as the plan registers it."""

from __future__ import annotations

from dataclasses import replace

from app.measure.studies.spec import Spec, SpecError
from metrics.attribution import gates
from metrics.attribution.result import Alternative, Answer, Diagnostic, Effect, Verdict
from metrics.attribution.sequential import anytime, lan_demets

NAME = "peeking"


def as_looked_at(spec: Spec, found: Answer) -> tuple[Answer, tuple[Diagnostic, ...]]:
    """The answer with the interval that its number of units allows; unchanged where the plan registers no number.

    With `looks` the interval is Lan and DeMets's at this look (O'Brien-Fleming spending). Without them, before the
    registered number is reached, it is a confidence sequence, which holds at every look at once.
    """
    planned, effect = spec.planned_units, found.effect
    if planned is None:
        if spec.looks:
            raise SpecError("looks: they are shares of planned_units; register that number too")
        return found, ()
    if spec.log_outcome:
        raise SpecError(
            "planned_units: intervals for early looks are not given for log_outcome; analyse the outcome as it is"
        )
    if effect.estimate is None or effect.se is None or not effect.se > 0:
        return found, (gates.unknown(NAME, "there is no standard error"),)
    if spec.looks:
        changed = _at_a_look(spec.looks, found.n / planned, effect)
    elif found.n < planned:
        changed = anytime(effect.estimate, effect.se, found.n, max(round(planned), 1))
    else:
        return found, (_gate(found.n, planned, "the registered number of units is reached"),)
    beside = (
        replace(Alternative.of(effect), method=f"{effect.method}, for one look at the end only"),
        *found.alternatives,
    )
    changed = replace(changed, reason="no p value: one would hold for a single look only")
    relative = found.relative and replace(found.relative, low=None, high=None)
    why = f"{found.n:,} of {planned:,.0f} registered units; the interval is one that holds at this look: {changed.method}"
    return replace(found, effect=changed, relative=relative, alternatives=beside), (
        _gate(found.n, planned, why),
    )


def _gate(n: int, planned: float, why: str) -> Diagnostic:
    return gates.diagnostic(NAME, n, planned, Verdict.PASS, why)


def _at_a_look(looks: tuple[float, ...], share: float, effect: Effect) -> Effect:
    """The interval at an information fraction, given the planned looks before it."""
    assert effect.estimate is not None
    assert effect.se is not None
    now = min(share, 1.0)
    before = tuple(s for s in looks if s < now - 0.01)
    bound = lan_demets((*before, now), kind="obrien_fleming")[-1]
    reach = bound * effect.se
    method = f"Lan-DeMets, O'Brien-Fleming spending, look {len(before) + 1} at {now:.0%} of the units"
    low, high = effect.estimate - reach, effect.estimate + reach
    return Effect(effect.estimate, effect.se, low, high, None, method)
