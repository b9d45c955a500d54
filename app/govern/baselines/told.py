"""What the command line prints about baselines."""

from __future__ import annotations

from dataclasses import dataclass

from app.govern.baselines.effects import Effect
from app.govern.baselines.examine import Difference
from app.govern.baselines.repairs import Repair


@dataclass(frozen=True)
class Outcome:
    """What a file holds, and what became of it."""

    outcome: str
    baseline: str
    state: str
    why: str
    repairs: tuple[Repair, ...]
    bad_rows: int
    ignored: tuple[str, ...]
    rows: int
    first: str
    last: str
    value: float | None
    low: float | None
    high: float | None
    sha256: str
    rows_sha256: str
    difference: Difference | None
    effects: tuple[Effect, ...]
    marked: str

    def message(self) -> str:
        lines = [f"{self.outcome}: {self.baseline or 'not recorded'} {self.state}".rstrip()]
        lines += [f"  {self.why}"] if self.why else []
        for repair in self.repairs:
            lines.append(f"  {repair.count:,} x {repair.action}")
            lines += [f"      row {e.line}, column {e.column}: {e.value!r}" for e in repair.examples]
        lines += [f"  column {name} is not used" for name in self.ignored]
        if self.rows:
            lines.append(f"  {self.rows:,} rows, {self.first} to {self.last}")
        if self.difference is not None:
            d = self.difference
            lines.append(
                f"  against the baseline in force: {d.new} new, {d.changed} changed, {d.gone} gone, {d.same} the same"
            )
        lines += [f"  {e.what}: {e.before} -> {e.after}" for e in self.effects]
        lines += [f"  rows to mend are in {self.marked}"] if self.marked else []
        return "\n".join(lines)


@dataclass(frozen=True)
class Version:
    """One baseline of a series, as history prints it."""

    baseline: str
    state: str
    at: str
    who: str
    rows: int
    first: str
    last: str
    value: float | None
    sha256: str
    used_by: tuple[str, ...]
