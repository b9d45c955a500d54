"""From a gate's template to the criteria of one review: each with its own bound, scope and origin, frozen at the opening."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from app.govern import books
from app.govern.gates.case import promised
from app.govern.gates.look import Look
from app.govern.model import Row
from data.audit import canonical
from data.policies.gates import Source, Template, Term, Weight
from metrics.core.verdict import Comparator, Target

# Which field of an initiative names the values of a dimension.
_SUBJECTS = {"model_id": "model_ids", "experiment_id": "experiment_ids", "campaign_id": "campaign_ids"}


@dataclass(frozen=True)
class Criterion:
    """One criterion as it is judged. `check` names a register criterion, otherwise `metric` is judged on `bound`.

    `lacks`: why it cannot be judged at all; `applies` False with it means that it does not concern this initiative.
    `origin`: where the bound comes from, with the record and its version.
    """

    key: str
    title: str
    weight: str
    check: str = ""
    metric: str = ""
    comparator: str = ""
    threshold: float | None = None
    bound: str = ""
    where: tuple[tuple[str, str], ...] = ()
    window_days: int | None = None
    min_n: int = 0
    max_age_days: int = 0
    origin: str = ""
    lacks: str = ""
    applies: bool = True

    @property
    def must(self) -> bool:
        return self.weight == Weight.MUST

    @property
    def kill(self) -> bool:
        return self.weight == Weight.KILL

    @property
    def subject(self) -> str:
        return ", ".join(value for _, value in self.where)


def resolve(look: Look, initiative: Row, template: Template, gate: str, track: str) -> tuple[Criterion, ...]:
    """The criteria of a gate for an initiative, by the registers as they are. Raises KeyError for an unknown gate."""
    tier = initiative.text("materiality")
    found: list[Criterion] = []
    for term in template.gate(gate).terms:
        if tier in term.tiers and (track == "standard" or term.expedited):
            found += _resolved(look, initiative, template, term)
    return tuple(found)


def _resolved(look: Look, initiative: Row, template: Template, term: Term) -> Iterator[Criterion]:
    if term.check:
        yield Criterion(
            term.key, term.title, term.weight, check=term.check, max_age_days=term.max_age_days,
            origin=f"gate template {template.version}",
        )  # fmt: skip
        return
    if term.source is Source.POSTURE:
        yield from _postures(look, initiative, term)
        return
    if term.source is Source.CASE:
        case = promised(look, initiative, term)
        term, lacks, origin = case.term, case.lacks, case.origin
    else:
        lacks, origin = "", f"gate template {template.version}"
    for where in _scopes(initiative, term):
        yield _metric(look, term, where, origin, lacks)


def _scopes(initiative: Row, term: Term) -> tuple[tuple[tuple[str, str], ...] | None, ...]:
    """One scope a subject; None where the initiative has no subject of the kind."""
    if not term.subject:
        return (term.segment,)
    names = initiative[_SUBJECTS[term.subject]]
    if not isinstance(names, tuple):
        return (None,)
    return tuple((*term.segment, (term.subject, name)) for name in names)


def _metric(
    look: Look, term: Term, where: tuple[tuple[str, str], ...] | None, origin: str, lacks: str
) -> Criterion:
    key = term.key if not where or not term.subject else f"{term.key}: {where[-1][1]}"
    threshold, comparator, asked = term.threshold, term.comparator, where is not None
    if term.source is Source.TARGET and where is not None:
        target = _target(look, term.metric, where)
        lacks = "" if target else f"no target for {term.metric} is set; write one into the ledger"
        asked = (
            target is not None or term.weight != Weight.SHOULD
        )  # nothing was promised, so nothing should be met
        if target:
            row, aim = target
            threshold, comparator = aim.threshold, aim.comparator.value
            origin = f"target {row.record_id}, version {row.version}"
    if where is None:
        lacks = f"the initiative names no {term.subject.removesuffix('_id')}"
    return Criterion(
        key, term.title, term.weight, metric=term.metric, comparator=comparator, threshold=threshold,
        bound="lower bound" if comparator == "at least" else "upper bound", where=where or (),
        window_days=term.window_days, min_n=term.min_n, max_age_days=term.max_age_days, origin=origin, lacks=lacks,
        applies=asked,
    )  # fmt: skip


def _target(look: Look, metric: str, where: tuple[tuple[str, str], ...]) -> tuple[Row, Target] | None:
    """The narrowest target in force for a scope, the latest to start among equals."""
    today = look.at.date()
    found = [(row, books.target_of(row)) for row in look.live("targets") if row["metric"] == metric]
    speaking = [
        (row, t) for row, t in found if t.valid_from <= today <= t.valid_to and set(t.where) <= set(where)
    ]
    return max(speaking, key=lambda p: (len(p[1].where), p[1].valid_from, p[0].record_id), default=None)


def _postures(look: Look, initiative: Row, term: Term) -> Iterator[Criterion]:
    """One criterion for each declared posture; one that lacks it where nothing was declared."""
    taken = look.of("decisions", "initiative", initiative.record_id)
    postures = [p for d in taken for p in look.of("postures", "decision", d.record_id)]
    models = initiative.words("model_ids")
    if not postures:
        yield Criterion(
            term.key, term.title, term.weight, lacks="no acceptable error is declared; declare a posture"
        )
    for posture in postures:
        metric = posture.text("metric")
        for model in models or ("",):
            needs = metric.split(".")[0] in ("model", "fairness") and model
            where = (("model_id", model),) if needs else ()
            yield Criterion(
                f"{term.key}: {posture.record_id}{' ' + model if needs else ''}", term.title, term.weight, metric=metric,
                comparator=posture.text("comparator"), threshold=float(str(posture["acceptable"])),
                bound="lower bound" if posture["comparator"] == "at least" else "upper bound", where=where,
                window_days=term.window_days, min_n=term.min_n, max_age_days=term.max_age_days,
                origin=f"posture {posture.record_id}, version {posture.version}",
            )  # fmt: skip
            if not needs:
                break


def aim_of(criterion: Criterion) -> Target | None:
    """A metric criterion as the one verdict function takes it."""
    if not criterion.metric or criterion.threshold is None:
        return None
    return Target(
        criterion.metric, Comparator(criterion.comparator), criterion.threshold, min_n=criterion.min_n,
        max_age=dt.timedelta(days=criterion.max_age_days), where=criterion.where,
    )  # fmt: skip


def written(criteria: tuple[Criterion, ...]) -> str:
    """Criteria as the ledger keeps them: canonical JSON."""
    return canonical([asdict(c) for c in criteria])


def read(text: str) -> tuple[Criterion, ...]:
    """Criteria as they were written. Raises ValueError for text that holds none."""
    try:
        return tuple(_criterion(c) for c in json.loads(text))
    except (TypeError, KeyError) as error:
        raise ValueError(f"no criteria in this text: {error}") from error


def _criterion(found: dict[str, Any]) -> Criterion:
    where = tuple((str(n), str(v)) for n, v in found["where"])
    return Criterion(**{**found, "where": where})
