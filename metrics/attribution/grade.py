"""The evidence grade: one function of the diagnostics, and of nothing else."""

from __future__ import annotations

from metrics.attribution.result import Diagnostic, Verdict

RANDOMISED, QUASI, MODELLED, CLAIMED, BLOCKED = (
    "randomised", "quasi-experimental", "modelled", "claimed", "blocked",
)  # fmt: skip
ATTRIBUTED = (RANDOMISED, QUASI)  # the only grades that may be summed into what AI contributed

# Groups of gates by design: of every group at least one must pass, and none may warn, for the design's own grade.
MUST_PASS: dict[str, tuple[tuple[str, ...], ...]] = {
    "randomised": (("sample_ratio", "balance"), ("undeclared_differences",)),
    "did": (("baseline_length",), ("pre_trend",), ("sensitivity",), ("clusters",)),
    "staggered": (("baseline_length",), ("pre_trend",), ("sensitivity",), ("clusters",)),
    "synthetic_control": (
        ("baseline_length",),
        ("donors",),
        ("pre_fit",),
        ("weight_optimality",),
        ("agreement",),
        ("placebo_in_time",),
    ),
    "interrupted_series": (("baseline_length",), ("autocorrelation",), ("placebo_in_time",)),
}
NO_WARNING = (
    "panel",
    "mixed_exposure",
    "repeated_units",
    "attrition",
    "other_interventions",
    "spill_over",
    "peeking",
    "regression_to_mean",
    "calibration",
)
# Without a standard error there is nothing that tells an effect from chance, whatever else holds.
MUST_BE_KNOWN = ("minimum_detectable_effect",)


def grade(design: str, diagnostics: tuple[Diagnostic, ...]) -> str:
    """`blocked` if any gate blocks; the design's own grade if what it rests on was checked and held; else `modelled`."""
    if any(d.verdict is Verdict.BLOCK for d in diagnostics):
        return BLOCKED
    verdicts = {d.name: d.verdict for d in diagnostics}
    for group in MUST_PASS[design]:
        of_group = [verdicts.get(name, Verdict.UNKNOWN) for name in group]
        if Verdict.PASS not in of_group or Verdict.WARN in of_group:
            return MODELLED
    if any(verdicts.get(name) is Verdict.UNKNOWN for name in MUST_BE_KNOWN):
        return MODELLED
    if any(verdicts.get(name) is Verdict.WARN for name in NO_WARNING):
        return MODELLED
    return RANDOMISED if design == "randomised" else QUASI
