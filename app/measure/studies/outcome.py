"""A study's result, field by field as the specification of studies names them."""

from __future__ import annotations

from dataclasses import dataclass

from app.measure.studies.lasts import Lasts
from app.measure.studies.segments import Uplift
from metrics.attribution.result import Alternative, Diagnostic, LeftOut, Pretended, Share, Verdict
from metrics.attribution.roi import Return


@dataclass(frozen=True)
class Step:
    """A point of the path: its period as the file writes it, or its event time."""

    estimate: float
    low: float | None
    high: float | None
    period: str | None = None
    event_time: float | None = None


@dataclass(frozen=True)
class Observed:
    """One period of the treated: what happened, and what would have happened with its 95 % band."""

    period: str
    actual: float
    counterfactual: float | None
    low: float | None
    high: float | None
    treated: bool


@dataclass(frozen=True)
class CostLine:
    """Money spent under one heading."""

    category: str
    amount: float


@dataclass(frozen=True)
class StudyResult:
    """One study. `counted`: whether the value may enter a sum of what AI contributed."""

    name: str
    estimate: float | None
    se: float | None
    low: float | None
    high: float | None
    p_value: float | None
    reason: str
    relative: Share | None
    n: int
    n_treated: int
    n_control: int
    design: str
    direction: str
    beneficial: bool | None
    estimand: str
    method: str
    grade: str
    counted: bool
    blocked_by: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    path: tuple[Step, ...]
    alternatives: tuple[Alternative, ...]
    cumulative: Share | None
    roi: Return | None
    warnings: tuple[str, ...]
    plan_hash: str
    data_hash: str
    series: tuple[Observed, ...] = ()
    placebos: tuple[float, ...] = ()
    costs: tuple[CostLine, ...] = ()
    initiative: str = ""
    baseline: str = ""
    left_out: tuple[LeftOut, ...] = ()
    pretended: tuple[Pretended, ...] = ()
    lasts: Lasts | None = None
    uplift: Uplift | None = None

    def message(self) -> str:
        """The result in lines of text."""
        lines = [f"{self.name}: {self.grade}{'' if self.counted else ' (never summed)'}"]
        if self.estimate is None:
            lines.append(f"  no estimate: {self.reason}")
        else:
            interval = "" if self.low is None or self.high is None else f"  {self.low:.6g} to {self.high:.6g}"
            p = "" if self.p_value is None else f"  p={self.p_value:.3g}"
            lines.append(f"  {self.estimate:.6g}{interval}{p}  n={self.n:,}  {self.method}")
            if self.reason:
                lines.append(f"  {self.reason}")
        if self.relative is not None:
            lines.append(f"  relative {self.relative.estimate:+.1%}")
        if self.roi is not None:
            lines.append(f"  {self.roi.message()}")
        if self.lasts is not None:
            lines.append(f"  {self.lasts.course.value}: {self.lasts.why}")
        lines += [f"  {_gate(d)}" for d in self.diagnostics]
        lines += [f"  warning: {w}" for w in self.warnings]
        return "\n".join(lines)


def _gate(d: Diagnostic) -> str:
    todo = f"; {d.what_to_do}" if d.what_to_do and d.verdict is not Verdict.PASS else ""
    value = "" if d.value is None else f" {d.value:.4g}"
    return f"{d.verdict.value:14} {d.name}{value}: {d.why}{todo}"
