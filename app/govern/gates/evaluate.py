"""Judge a gate's criteria: metric criteria on live Readings by the one verdict function, register criteria on the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.govern.gates import registers
from app.govern.gates.criteria import Criterion, aim_of, resolve
from app.govern.gates.findings import Finding, Standing, standing
from app.govern.gates.look import Look, look, look_at
from app.govern.model import CommandError, Ledger, Row
from app.measure import words
from app.measure.judged import ORDER
from app.measure.readings import Readings
from app.runtime import Runtime
from data.policies.gates import GATES, TRACKS, Rules, template_of, template_on
from metrics import ALL
from metrics.core.metric import Metric, Reading, Scope
from metrics.core.verdict import Comparator, State, Target, Verdict, judge

Admissible = Callable[[Metric[Any]], tuple[str, ...]]


class GateError(CommandError):
    """A question about gates that cannot be asked: no such initiative, gate, track or review."""


@dataclass(frozen=True)
class Sources:
    """What criteria are judged on. `inadmissible`: broken contracts behind a metric. `as_of`: judge a past moment."""

    look: Look
    readings: Readings
    inadmissible: Admissible
    as_of: dt.datetime | None = None

    @property
    def now(self) -> dt.datetime:
        return self.as_of or self.look.at


@dataclass(frozen=True)
class Evaluation:
    """A gate judged for an initiative: each criterion, and whether the gate holds."""

    initiative: str
    gate: str
    track: str
    tier: str
    template: str
    standing: Standing
    findings: tuple[Finding, ...]


def sources(runtime: Runtime, ledger: Ledger, readings: Readings | None = None) -> Sources:
    """The ledger, the numbers and the contracts as they are now."""
    from app.govern.admissibility import failures

    return Sources(look(ledger), readings or runtime.readings, lambda metric: failures(runtime, metric))


def sources_at(runtime: Runtime, ledger: Ledger, moment: dt.datetime) -> Sources:
    """The same as they were known at a moment. Contracts are measured today only, so none is held against the past."""
    return Sources(look_at(ledger, moment), runtime.readings, lambda _: (), moment)


def evaluate(found: Sources, initiative: str, gate: str, track: str = "standard") -> Evaluation:
    """Judge a gate by the template in force. Raises GateError for names that do not exist."""
    row = initiative_of(found.look, initiative)
    if gate not in GATES:
        raise GateError(f"there is no gate {gate!r}; there are: {', '.join(GATES)}")
    if track not in TRACKS:
        raise GateError(f"there is no track {track!r}; there are: {', '.join(TRACKS)}")
    template = template_on(found.look.at.date())
    criteria = resolve(found.look, row, template, gate, track)
    return judged(found, row, gate, track, template.version, criteria)


def initiative_of(held: Look, initiative: str) -> Row:
    row = held.find("initiatives", initiative)
    if row is None or row.state != "active":
        names = ", ".join(r.record_id for r in held.live("initiatives")) or "none"
        raise GateError(f"there is no initiative {initiative!r} in use; there are: {names}")
    return row


def judged(
    found: Sources,
    row: Row,
    gate: str,
    track: str,
    version: str,
    criteria: tuple[Criterion, ...],
    *,
    tier: str = "",
) -> Evaluation:
    """Judge given criteria, such as those a review froze, by the rules of a tier (the initiative's own without one)."""
    rules: Rules = template_of(version).rule(tier or row.text("materiality"), track)
    findings = tuple(_waived(found, row, _finding(found, row, c, criteria)) for c in criteria)
    return Evaluation(row.record_id, gate, track, rules.tier, version, standing(findings, rules), findings)


def _finding(found: Sources, row: Row, one: Criterion, among: tuple[Criterion, ...]) -> Finding:
    if one.lacks:
        state = State.NO_DATA if one.applies else State.NOT_APPLICABLE
        return Finding(one, state, one.lacks)
    if one.metric:
        return on_metric(found, one)
    if one.check == "contracts":
        return _contracts(found, one, among)
    if one.check == "card":
        return _card(found, row, one)
    state, why, facts = registers.CHECKS[one.check](found.look, row, one, found.now.date())
    return Finding(one, state, why, facts=facts)


def on_metric(found: Sources, one: Criterion) -> Finding:
    """A metric criterion on its Reading; of several groups the one that asks for attention first."""
    metric = ALL.get(one.metric)
    if metric is None:
        return Finding(one, State.NO_DATA, f"{one.metric} is not in the catalogue any more")
    definition = f"{metric.key} version {metric.version}, cells version {metric.rollup.version}"
    target = aim_of(one)
    try:
        read = found.readings.read(metric, scope_of(found, metric, one))
    except ValueError as error:
        return Finding(one, State.NO_DATA, str(error), definition=definition)
    verdicts = [(r, judge(r, target, found.now)) for r in read]
    reading, verdict = min(verdicts, key=lambda pair: _badness(pair[0], pair[1], target))
    broken = found.inadmissible(metric)
    why = f"inadmissible: {'; '.join(broken)}" if broken else _why(one, verdict, len(verdicts))
    withheld = broken and verdict.state is not State.STALE  # late data are stale, others say nothing
    state = State.NO_DATA if withheld else verdict.state
    return Finding(one, state, why, reading, len(verdicts), broken, definition=definition)


def _why(one: Criterion, verdict: Verdict, groups: int) -> str:
    several = f", in the weakest of {groups} groups" if groups > 1 else ""
    match verdict.state:
        case State.MET:
            return f"the {one.bound} is {one.comparator} {one.threshold:g}{several}"
        case State.NOT_MET | State.INCONCLUSIVE:
            return f"{verdict.why}{several}"
        case _:
            return verdict.why


def _badness(reading: Reading, verdict: Verdict, target: Target | None) -> tuple[int, float]:
    """Attention first, then the greatest distance to the wrong side."""
    if target is None or reading.value is None:
        return ORDER.index(verdict.state), 0.0
    ends = (reading.low, reading.high)
    at_least = target.comparator is Comparator.AT_LEAST
    end = ends[0 if at_least else 1]
    value = reading.value if end is None else end
    return ORDER.index(verdict.state), value if at_least else -value


def scope_of(found: Sources, metric: Metric[Any], one: Criterion) -> Scope:
    """The window counted back from the last day that is there; trials are read whole."""
    whole = one.window_days is None or "experiment_id" in metric.rollup.dims
    if whole:
        return Scope(where=one.where, as_of=found.as_of)
    days = found.readings.days(metric.rollup)
    last = days[1] if days else found.now.date()
    last = min(last, found.now.date())
    first = last - dt.timedelta(days=(one.window_days or 1) - 1)
    return Scope(where=one.where, since=first, until=last, as_of=found.as_of)


def _contracts(found: Sources, one: Criterion, among: tuple[Criterion, ...]) -> Finding:
    """The contracts of every table that the gate's numbers come from."""
    metrics = {c.metric: ALL[c.metric] for c in among if c.metric in ALL}
    tables = {t for m in metrics.values() for t in m.rollup.tables}
    covering = tuple(r for r in found.look.live("contracts") if r.text("table_name") in tables)
    broken = tuple(dict.fromkeys(why for m in metrics.values() for why in found.inadmissible(m)))
    facts = tuple(_said(r) for r in covering)
    if broken:
        return Finding(one, State.NOT_MET, "; ".join(broken), contracts=broken, facts=facts)
    if not covering:
        return Finding(
            one, State.NO_DATA, "no contract covers a table that this gate is judged by; record one"
        )
    return Finding(one, State.MET, f"{words.plural(len(covering), 'contract')} kept", facts=facts)


def _card(found: Sources, row: Row, one: Criterion) -> Finding:
    """Every claim of the model card inside the interval of today."""
    running = found.look.find("operability", row.record_id)
    claims = running["card_claims"] if running is not None and running.state == "active" else None
    if running is None or not isinstance(claims, tuple):
        return Finding(one, State.NO_DATA, "no model card with claims is recorded")
    models = row.words("model_ids")
    parts = [_claim(found, one, claim, model) for claim in claims for model in models or ("",)]
    worst = min(parts, key=lambda f: ORDER.index(f.state))
    return replace(worst, facts=(_said(running),))


def _claim(found: Sources, one: Criterion, claim: str, model: str) -> Finding:
    key, _, number = claim.partition("=")
    metric = ALL.get(key.strip())
    try:
        claimed = float(number)
    except ValueError:
        metric = None
    if metric is None:
        return Finding(one, State.NO_DATA, f"the claim {claim!r} names no metric with a number")
    where = (("model_id", model),) if model else ()
    asked = replace(
        one, metric=metric.key, where=where, threshold=claimed, comparator="at least", window_days=91
    )
    got = on_metric(found, asked)
    reading = got.reading
    if got.contracts or reading is None or reading.low is None or reading.high is None:
        return replace(got, criterion=one, state=State.NO_DATA)
    inside = reading.low <= claimed <= reading.high
    why = f"{claim} lies {'inside' if inside else 'outside'} {reading.low:.4g} to {reading.high:.4g}" + (
        "" if inside else ": the card is out of date"
    )
    stale = got.state in (State.STALE, State.NOT_ENOUGH_DATA)
    state = got.state if stale else State.MET if inside else State.NOT_MET
    return replace(got, criterion=one, state=state, why=got.why if stale else why)


def _waived(found: Sources, row: Row, one: Finding) -> Finding:
    """A must- or should-meet criterion for which an accepted exception is in force. Nothing waives a kill or a contract."""
    if one.state in (State.MET, State.NOT_APPLICABLE) or one.criterion.kill or one.contracts:
        return one
    names = {one.criterion.key.casefold(), one.criterion.title.casefold()}
    for held in found.look.of("exceptions", "initiative", row.record_id):
        until = held["expires"]
        ended = isinstance(until, dt.date) and until < found.now.date()
        if held.state == "accepted" and held.text("rule").casefold() in names and not ended:
            why = f"waived by {held.record_id} until {until or 'its tripwire'}; it was {one.state.value}: {one.why}"
            return replace(one, state=State.WAIVED, why=why, facts=(*one.facts, _said(held)))
    return one


def _said(row: Row) -> str:
    return registers.said(row)
