"""Comparing groups with a reference group, and picking the one that matters: pure functions on slices' cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic

from app.measure.slices import By
from metrics.core.disclosure import SMALLEST, protect
from metrics.core.metric import ATTRIBUTES, C, Choice, Contrast, Estimate, protected, undefined

HIDDEN = f"fewer than {SMALLEST} persons: not shown, to protect them"


@dataclass(frozen=True)
class Group(Generic[C]):
    """The cells of one combination of keys; `rows` counts the warehouse rows behind them."""

    by: By
    cells: C
    rows: int


def is_attribute(dim: str, pattern: str) -> bool:
    return pattern == ATTRIBUTES and dim.startswith("attr_")


def families(groups: list[Group[C]]) -> list[tuple[By, list[Group[C]]]]:
    """Groups of the last dimension gathered under each combination of the other keys; those without a name are left out."""
    gathered: dict[By, list[Group[C]]] = {}
    for group in groups:
        if group.by[-1][1] is not None:
            gathered.setdefault(group.by[:-1], []).append(group)
    return list(gathered.items())


def against(
    contrast: Contrast[C], groups: list[Group[C]], dim: str, choice: Choice
) -> list[tuple[By, Estimate, int]]:
    """Every group of one family against its reference group, small cells hidden."""
    names = [g.by[-1][1] for g in groups]
    reference = _reference(contrast, groups, choice)
    if reference is None:
        wanted = contrast.reference or (dict(choice.values).get("reference", ""),)
        text = f"no {' or '.join(wanted)} group to compare with; there is {', '.join(map(str, names))}"
        return [(groups[0].by[:-1], undefined(text), 0)]
    hidden = protect([g.rows for g in groups]) if protected(dim) else [False] * len(groups)
    found: list[tuple[By, Estimate, int]] = []
    for group, hide in zip(groups, hidden, strict=True):
        if group is reference or group.by[-1][1] in contrast.reference:
            continue
        estimate = undefined(HIDDEN) if hide else contrast.compare(group.cells, reference.cells, choice)
        found.append(((group.by[-1],), estimate, contrast.size(group.cells)))
    if not found:
        only = undefined(f"only one group, {names[0]}: nothing to compare it with")
        return [((groups[0].by[-1],), only, 0)]
    return found


def _reference(contrast: Contrast[C], groups: list[Group[C]], choice: Choice) -> Group[C] | None:
    if contrast.reference:
        return next((g for g in groups if g.by[-1][1] in contrast.reference), None)
    wanted = dict(choice.values).get("reference", "")
    if wanted:
        return next((g for g in groups if g.by[-1][1] == wanted), None)
    return max(groups, key=lambda g: contrast.size(g.cells))


def worst(
    contrast: Contrast[C], found: list[tuple[By, Estimate, int]], min_n: int, dims: list[str]
) -> list[tuple[By, Estimate]]:
    """The group of greatest badness within each combination of the other keys, and how many it was picked from."""
    outer: dict[By, list[tuple[By, Estimate, int]]] = {}
    for by, estimate, n in found:
        outer.setdefault(tuple(p for p in by if p[0] not in dims), []).append((by, estimate, n))
    picked: list[tuple[By, Estimate]] = []
    for rest, candidates in outer.items():
        able = [(by, e) for by, e, n in candidates if e.value is not None and n >= min_n]
        if not able:
            reasons = [e.reason for _, e, _ in candidates if e.reason]
            text = reasons[0] if reasons else f"no group has {min_n} or more to compare"
            picked.append((rest, undefined(text)))
            continue
        by, estimate = max(able, key=lambda c: contrast.badness(c[1].value or 0.0))
        note = f"the worst of {len(able)} comparisons; each alone has 95 %"
        picked.append(
            (by, replace(estimate, warnings=(*estimate.warnings, note)) if len(able) > 1 else estimate)
        )
    return picked
