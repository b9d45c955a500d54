"""Synthetic-control studies: rows to blocks of donors and treated units without holes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.measure.studies.panels import Cube, cube_of, relogged
from app.measure.studies.shared import plan_gates
from app.measure.studies.spec import Spec, SpecError
from app.measure.studies.table import Table, matching
from metrics.attribution import donors, gates
from metrics.attribution.result import Answer
from metrics.attribution.synthetic import Blocks
from metrics.core.shapes import Ints


def answer(spec: Spec, table: Table, seed: int) -> Answer:
    """The answer of a synthetic-control study with all its diagnostics."""
    assert spec.treated_from is not None
    cube = cube_of(spec, table, seed)
    treated = _treated(spec, cube)
    periods, units, notes = _whole(spec, cube, treated)
    first = int(np.searchsorted(periods, cube.periods.first_from(spec.treated_from, "treated_from")))
    if first < 2 or first >= len(periods):
        raise SpecError("fewer than two periods before, or none after treated_from, have all treated units")
    outcome = cube.panel.outcome[:, periods]
    blocks = Blocks(outcome[units], outcome[treated].mean(axis=0), first, len(treated))
    labels = tuple(cube.periods.labels[t] for t in periods)
    names = tuple(cube.units.names[u] for u in units)
    found = donors.estimate(donors.Control(blocks, labels, names, spec.method, seed))
    shown = ", ".join(cube.units.names[u] for u in treated[:5])
    checks = (
        gates.coding(confirmed=spec.coding_confirmed, treated=f"{spec.unit} {shown}"),
        *found.diagnostics,
        gates.detectable(found.effect),
        *plan_gates(spec, cube.periods),
        gates.unknown(
            "spill_over",
            "no column says who met the treatment",
            "leave donors out that the treatment may have reached",
        ),
    )
    return relogged(spec, replace(found, diagnostics=checks, warnings=notes))


def _treated(spec: Spec, cube: Cube) -> Ints:
    found = []
    for value in spec.treated_units:
        of_value = matching(cube.units.names, value)
        if not of_value:
            raise SpecError(
                f"treated_units: no {spec.unit} is {value!r}; there are: {', '.join(cube.units.names[:30])}"
            )
        if len(of_value) > 1:
            several = ", ".join(cube.units.names[i] for i in of_value)
            raise SpecError(
                f"treated_units: {value!r} may be any of {several}; write it in quotes, as the file does"
            )
        found += of_value
    if not found:
        raise SpecError("treated_units is empty; name the units that were treated")
    return np.array(sorted(set(found)), dtype=np.int64)


def _whole(spec: Spec, cube: Cube, treated: Ints) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Periods in which all treated units have an outcome, donors that have one in all of those, and what is left out."""
    known = np.isfinite(cube.panel.outcome)
    periods = np.flatnonzero(known[treated].all(axis=0))
    if not len(periods):
        raise SpecError(f"no period has an outcome for all treated units ({spec.outcome})")
    complete = np.flatnonzero(known[:, periods].all(axis=1))
    donors_there = np.setdiff1d(complete, treated)
    if len(donors_there) < 2:
        raise SpecError(
            f"{len(donors_there)} untreated units have an outcome in every period; a synthetic control needs two or more"
        )
    notes = []
    if len(periods) < known.shape[1]:
        gone = [cube.periods.labels[t] for t in range(known.shape[1]) if t not in set(periods.tolist())]
        notes.append(f"periods without an outcome of a treated unit are left out: {', '.join(gone[:10])}")
    lost = known.shape[0] - len(treated) - len(donors_there)
    if lost:
        notes.append(f"{lost} untreated units with missing cells are left out as donors")
    return periods, donors_there, tuple(notes)
