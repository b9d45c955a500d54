"""Baselines and studies in the diary: files that people of the simulated enterprise brought in, and what was found.

The simulated figures are made here from fixed seeds and go through the same checks, commands and estimators as anybody's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import yaml  # type: ignore[import-untyped]

from app.govern.baselines.dialect import Dialect
from app.govern.baselines.store import BaselineError, Request, Series, upload
from app.govern.commands import find
from app.govern.demo_acts import Act, by, step
from app.govern.demo_gates import Scene
from app.govern.model import Receipt
from app.govern.studies import Registrar
from app.govern.study_record import audited
from app.measure.studies.parse import read_spec
from app.measure.studies.plan import plan_of
from app.measure.studies.run import run_study
from app.measure.studies.spec import SpecError
from metrics.attribution.result import StudyError

Keys = Mapping[str, object]
Rows = Callable[[dt.date], str]  # a file's text, by the day on which it was made
_WORTH = {"low": 0.8, "mid": 1.0, "high": 1.1}


def _folder(scene: Scene) -> Path:
    folder = scene.runtime.settings.home / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _baseline(days_ago: int, who: str, name: str, series: Series, rows: Rows, title: str, note: str) -> Act:
    """A file of past months, brought in by `who`."""

    def plan(scene: Scene) -> Receipt | None:
        path = _folder(scene) / f"{name}.csv"
        path.write_text(rows(scene.ledger.clock().date()))
        request = Request(path, path.name, series, Dialect(), title, note)
        checked, receipt = upload(scene.ledger, scene.runtime.settings, request, scene.actor, key=scene.key)
        if not checked.sound:
            # The rows are sound, so what reads them could not do its work on this machine.
            found = checked.findings
            raise BaselineError(
                f"{path}: the reader of baselines refused it: {found.refused} {found.detail}".rstrip()
            )
        return receipt

    return Act(days_ago, by(who), "add", "baselines", name, plan=plan)


def _months(count: int, skip: int, numerator: float, denominator: int, seed: int) -> Rows:
    """Monthly counts that end `skip` months before the file was made."""

    def rows(today: dt.date) -> str:
        draw = np.random.default_rng(seed)
        last = today.year * 12 + today.month - 1 - skip
        lines = ["period,numerator,denominator"]
        for at in range(last - count, last):
            k = int(draw.binomial(denominator, numerator))
            lines.append(f"{at // 12}-{at % 12 + 1:02d}-01,{k},{denominator}")
        return "\n".join(lines) + "\n"

    return rows


def _study(days_ago: int, who: str, name: str, keys: Keys, made: str = "") -> tuple[Act, Act]:
    """The plan, and three weeks later the result. `made`: the file's text where the rows are not the warehouse's."""

    def spec(scene: Scene) -> Path:
        folder = _folder(scene)
        if made:
            (folder / f"{name}.csv").write_text(made)
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(dict(keys), sort_keys=False))
        return path

    def registrar(scene: Scene) -> Registrar:
        return Registrar(scene.ledger, scene.runtime.settings, scene.actor, scene.key)

    def register(scene: Scene) -> Receipt | None:
        parsed, found = read_spec(spec(scene))
        registrar(scene).register(plan_of(found, parsed.name), parsed)
        return find(scene.ledger, scene.key)

    def run(scene: Scene) -> Receipt | None:
        try:
            done = run_study(spec(scene), registrar(scene).register, lambda: scene.runtime.warehouse)
        except (SpecError, StudyError):
            return (
                None  # a home without the simulated warehouse has no rows: the plan stands, without a result
            )
        return registrar(scene).keep(audited(scene.ledger, scene.runtime.settings, done))

    return (
        Act(days_ago, by(who), "add", "studies", f"plan-{name}", plan=register),
        Act(days_ago - 21, by(who), "add", "study_results", f"found-{name}", plan=run),
    )


def _trial(name: str, initiative: str, experiment: str, treated: str, control: str, **more: object) -> Keys:
    return {
        "name": name, "initiative": initiative, "design": "randomised", "direction": "higher_is_better",
        "coding_confirmed": True, "data": {"warehouse": {"table": "experiment_units", "where": {"experiment_id": experiment}}},
        "outcome": "outcome", "unit": "unit_id", "arm": "arm", "treated": treated, "control": control, "expected_split": 0.5,
        "chosen_on_baseline": False, "other_interventions": [], "unit_value": _WORTH,
        "costs": {"warehouse": {"table": "costs", "where": {"initiative_id": initiative}}}, **more,
    }  # fmt: skip


def _losses() -> str:
    """Fraud losses of 26 regions over 30 months; one region was screened from month 21 on, which took a fifth away."""
    draw = np.random.default_rng(11)
    level, weight = draw.normal(50, 6, 26), draw.normal(1, 0.25, 26)
    common = np.cumsum(draw.normal(0.2, 0.8, 30)) + 3 * np.sin(np.arange(30) / 6 * np.pi)
    lines = ["region,month,loss"]
    for r in range(26):
        for m in range(30):
            loss = (
                level[r] + weight[r] * common[m] + draw.normal(0, 0.6) - (9.0 if r == 0 and m >= 20 else 0.0)
            )
            lines.append(f"region-{r:02d},{2024 + m // 12}-{m % 12 + 1:02d}-01,{loss:.3f}")
    return "\n".join(lines) + "\n"


def _drafts() -> str:
    """A pilot of drafted answers: agents chose themselves whether to use it, and nobody wrote down the split."""
    draw = np.random.default_rng(5)
    lines = ["agent,group,minutes,minutes_before"]
    for at in range(600):
        uses = draw.random() < 0.7
        before = draw.normal(10.5 if uses else 12.5, 1.5)
        lines.append(
            f"a{at},{'drafts' if uses else 'none'},{before - 0.4 * uses + draw.normal(0, 1):.2f},{before:.2f}"
        )
    return "\n".join(lines) + "\n"


_LOSSES: Keys = {
    "name": "Losses after screening", "initiative": "fraud-screening", "design": "synthetic_control",
    "direction": "lower_is_better", "coding_confirmed": True, "data": "fraud-losses.csv", "outcome": "loss", "unit": "region",
    "period": "month", "treated_units": ["region-00"], "treated_from": "2025-09-01", "chosen_on_baseline": False,
    "other_interventions": [], "planned_end": "2026-06-01", "unit_value": {"low": 150, "mid": 200, "high": 230},
    "costs": {"warehouse": {"table": "costs", "where": {"initiative_id": "fraud-screening"}}},
}  # fmt: skip
_DRAFTS: Keys = {
    "name": "Minutes with drafted answers", "initiative": "agent-assist", "design": "randomised",
    "direction": "lower_is_better", "coding_confirmed": False, "data": "drafts.csv", "outcome": "minutes", "unit": "agent",
    "arm": "group", "treated": "drafts", "control": "none", "expected_split": 0.5, "pre_outcome": "minutes_before",
    "unit_value": {"low": 20, "mid": 25, "high": 30},
}  # fmt: skip

_RECALL = Series("model.recall", "month", (), "fraud-screening")
_PRECISION = Series("model.precision", "month", (), "lead-scoring")
_RULES, _MORE = (
    "Weekly report of the rules desk, before the model was switched on.",
    "The same, with a corrected May.",
)

ACTS = (
    _baseline(180, "tom", "recall-before", _RECALL, _months(10, 8, 0.31, 900, 1), "Fraud caught by rules", _RULES),
    step(179, "tom", "submit", "baselines", "recall-before"),
    step(176, "hanna", "approve", "baselines", "recall-before", "checked against the desk's own files"),
    _baseline(150, "tom", "recall-again", _RECALL, _months(12, 7, 0.33, 900, 2), "Fraud caught by rules, twelve months", _MORE),
    step(150, "tom", "submit", "baselines", "recall-again"),
    step(148, "hanna", "approve", "baselines", "recall-again", "two more months, and May is right now"),
    _baseline(6, "tom", "precision-before", _PRECISION, _months(12, 10, 0.11, 1500, 3), "Calls that ended in a sale", _RULES),
    step(5, "tom", "submit", "baselines", "precision-before"),
    *_study(120, "tom", "leads", _trial("Sales from called leads", "lead-scoring", "lead_holdout", "treatment", "holdout",
                                        pre_outcome="pre_outcome")),
    *_study(90, "tom", "developers", _trial("Tasks finished with the tool", "developer-tool", "devtool_trial", "tool", "control",
                                            pre_outcome="pre_outcome", cluster="cluster_id",
                                            unit_value={"low": 60, "mid": 80, "high": 100})),
    *_study(75, "tom", "fraud-losses", _LOSSES, _losses()),
    *_study(45, "tom", "drafts", _DRAFTS, _drafts()),
)  # fmt: skip
