"""Stage gates on the command line: evaluate one, list reviews and decisions, show a decision then and now, let lapses act."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from app import report
from app.runtime import open_runtime, utc_now

if TYPE_CHECKING:
    from app.govern.gates.basis import Change
    from app.govern.gates.evaluate import Evaluation
    from app.govern.gates.findings import Finding
    from app.govern.model import Ledger
    from app.settings import Settings

as_json = click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")


@dataclass(frozen=True)
class CriterionLine:
    """One criterion as it is judged; numbers are None where it is a register criterion or undefined."""

    key: str
    title: str
    weight: str
    state: str
    why: str
    metric: str
    where: tuple[tuple[str, str], ...]
    comparator: str
    threshold: float | None
    bound: str
    origin: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    unit: str
    method: str
    reason: str
    as_of: dt.datetime | None
    version: str
    definition: str
    contracts: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class GateReport:
    """A gate evaluated. `sha256`: of the canonical text that a review opened now would freeze."""

    initiative: str
    gate: str
    track: str
    tier: str
    template: str
    holds: bool
    why: str
    should_met: int
    should_needed: int
    sha256: str
    criteria: tuple[CriterionLine, ...]

    def message(self) -> str:
        head = f"{self.initiative}, gate {self.gate} ({self.track}, {self.tier}): " + (
            "holds" if self.holds else f"does not hold: {self.why}"
        )
        return "\n".join((head, *(f"  {c.weight:11}  {c.state:15}  {c.key}: {c.why}" for c in self.criteria)))


@dataclass(frozen=True)
class ReviewLine:
    review: str
    initiative: str
    gate: str
    track: str
    phase: str
    votes: str
    outcome: str
    stands: str
    opened: dt.datetime
    basis_sha256: str


@dataclass(frozen=True)
class ThenLine:
    """A criterion of a decision: what it was when it was decided and what it is today."""

    decision: str
    criterion: str
    then: str
    then_value: float | None
    now: str
    now_value: float | None
    moved: str
    material: bool


@click.group()
def gate() -> None:
    """Stage gates: criteria on measured numbers, and what the council decided."""


def _ledger(settings: Settings) -> Ledger:
    from app.govern.open import existing_ledger

    found = existing_ledger(settings, utc_now)
    if found is None:
        raise click.UsageError("there is no ledger here; run: python -m app migrate, or python -m app demo")
    return found


@gate.command()
@click.argument("initiative")
@click.argument("name", metavar="GATE")
@click.option("--track", default="standard", show_default=True, help="standard or expedited.")
@as_json
@click.pass_obj
def evaluate(settings: Settings, initiative: str, name: str, track: str, *, js: bool) -> None:
    """Judge every criterion of GATE for INITIATIVE now; exit 1 where the gate does not hold."""
    from app.govern.gates.evaluate import evaluate as judge
    from app.govern.gates.evaluate import sources

    runtime = open_runtime(settings)
    done = report_of(judge(sources(runtime, _ledger(settings)), initiative, name, track))
    report.emit(done, js=js)
    if not done.holds:
        sys.exit(1)


def report_of(found: Evaluation) -> GateReport:
    """An evaluation as it is printed."""
    from app.govern.gates.basis import freeze

    s = found.standing
    return GateReport(
        found.initiative, found.gate, found.track, found.tier, found.template, s.holds, s.why, s.should_met,
        s.should_needed, freeze(found).sha256, tuple(_line(f) for f in found.findings),
    )  # fmt: skip


def _line(one: Finding) -> CriterionLine:
    c, r = one.criterion, one.reading
    return CriterionLine(
        c.key, c.title, c.weight, one.state.value, one.why, c.metric, c.where, c.comparator, c.threshold, c.bound, c.origin,
        r.value if r else None, r.low if r else None, r.high if r else None, r.n if r else None, r.unit.value if r else "",
        r.method if r else "", r.reason if r else "", r.as_of if r else None, r.version if r else "", one.definition,
        one.contracts, one.facts,
    )  # fmt: skip


@gate.command("list")
@as_json
@click.pass_obj
def list_(settings: Settings, *, js: bool) -> None:
    """Print every review with its votes and where its decision stands."""
    from app.govern.gates import decided
    from app.govern.gates.look import look

    found = look(_ledger(settings))
    lines = []
    for review in found.rows("gate_reviews"):
        decision = found.find("gate_decisions", review.record_id)
        stands = decided.stands(found, decision).value if decision else ""
        outcome, sha = (decision.text("outcome"), decision.text("basis_sha256")) if decision else ("", "")
        votes = decided.ballot(found, review).counted.text()
        lines.append(
            ReviewLine(
                review.record_id, review.text("initiative"), review.text("gate"), review.text("track"),
                decided.phase(found, review).value, votes, outcome, stands, review.at, sha,
            )
        )  # fmt: skip
    report.emit(tuple(lines), js=js)


@gate.command()
@click.argument("decision")
@as_json
@click.pass_obj
def history(settings: Settings, decision: str, *, js: bool) -> None:
    """Print what DECISION rested on beside what is found today; exit 1 where it is outdated."""
    from app.govern.gates.evaluate import GateError, sources
    from app.govern.gates.then import compare

    found = sources(open_runtime(settings), _ledger(settings))
    row = found.look.find("gate_decisions", decision)
    if row is None:
        raise GateError(f"there is no gate decision {decision!r}; see: python -m app gate list")
    both = compare(found, row)
    moved = {c.key: c for c in both.changes}
    lines = tuple(_then(decision, a, b, moved) for a, b in zip(both.then.findings, both.now, strict=True))
    report.emit(lines, js=js)
    if both.outdated:
        click.echo(f"{decision} is outdated; today: {both.standing.why}", err=True)
        sys.exit(1)


def _then(decision: str, a: Finding, b: Finding, moved: dict[str, Change]) -> ThenLine:
    change = moved.get(a.criterion.key)
    return ThenLine(
        decision, a.criterion.key, a.state.value, a.reading.value if a.reading else None, b.state.value,
        b.reading.value if b.reading else None, change.why if change else "", change is not None and change.material,
    )  # fmt: skip


@gate.command()
@as_json
@click.pass_obj
def watch(settings: Settings, *, js: bool) -> None:
    """Let conditions be fulfilled, breached or lapse, and expedited decisions lapse. Safe to repeat."""
    from app.govern.gates.evaluate import sources
    from app.govern.gates.watch import act

    ledger = _ledger(settings)
    report.emit(act(ledger, sources(open_runtime(settings), ledger)), js=js)
