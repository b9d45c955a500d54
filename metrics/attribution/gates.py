"""Gates shared by the designs: each a pure function to one Diagnostic. Limits are constants with their source."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtrc, fdtrc

from metrics.attribution.result import Answer, Effect, Verdict
from metrics.attribution.result import Diagnostic as Diagnostic  # noqa: PLC0414 (what every gate hands back)
from metrics.core.intervals import Z
from metrics.core.shapes import Floats, Ints

SRM_LIMIT, SRM_MIN = 0.001, 8  # Fabijan et al. 2019; GrowthBook's smallest arm
BALANCE_LIMIT, UNDECLARED_LIMIT = 0.001, 0.5
MIXED_WARN, MIXED_BLOCK = 0.01, 0.10
SPILL_WARN = 0.05
ROI_MOST, ROI_LEAST = 20.0, -1.0
POWER_Z = 0.8416212335729143  # normal quantile of 80 % power
NO_ACTION = ""


def diagnostic(
    name: str,
    value: float | None,
    threshold: float | None,
    verdict: Verdict,
    why: str,
    todo: str = NO_ACTION,
) -> Diagnostic:
    """A Diagnostic whose value is a plain number or None, never NaN."""
    known = None if value is None or not math.isfinite(value) else float(value)
    return Diagnostic(name, known, threshold, verdict, why, todo)


def unknown(name: str, why: str, todo: str = NO_ACTION, threshold: float | None = None) -> Diagnostic:
    return Diagnostic(name, None, threshold, Verdict.UNKNOWN, why, todo)


def coding(*, confirmed: bool, treated: str) -> Diagnostic:
    """Gate 1: somebody has confirmed which value means treated (METR's own dictionary has it reversed)."""
    if confirmed:
        return diagnostic(
            "coding_confirmed", 1, 1, Verdict.PASS, f"a user confirmed that treated is {treated}"
        )
    return diagnostic(
        "coding_confirmed", 0, 1, Verdict.BLOCK,
        f"nobody has confirmed that treated is {treated}: a reversed coding turns a loss into a gain",
        "check the coding with whoever assigned the units, then set coding_confirmed: true",
    )  # fmt: skip


def srm_p(treated: int, control: int, expected: float) -> float:
    """Chi-square test (1 df) that units were split as registered."""
    n = treated + control
    gap = treated - n * expected
    return float(chdtrc(1, gap * gap / (n * expected * (1 - expected))))


def sample_ratio(treated: int, control: int, expected: float | None) -> Diagnostic:
    """Gate 2: units were split between the arms as registered."""
    if expected is None:
        return unknown(
            "sample_ratio",
            "no split was registered",
            "register expected_split, the share of treated",
            SRM_LIMIT,
        )
    if min(treated, control) < SRM_MIN:
        return unknown(
            "sample_ratio", f"an arm has fewer than {SRM_MIN} units", "wait for more units", SRM_LIMIT
        )
    p = srm_p(treated, control, expected)
    shares = f"{treated:,} of {treated + control:,} treated, registered {expected:.1%}"
    if p < SRM_LIMIT:
        return diagnostic(
            "sample_ratio", p, SRM_LIMIT, Verdict.BLOCK, f"the split is not as registered: {shares}",
            "find where units were lost or logged twice; the comparison is broken until then",
        )  # fmt: skip
    return diagnostic("sample_ratio", p, SRM_LIMIT, Verdict.PASS, shares)


def sample_ratio_by(stratum: Ints, treated: Floats, expected: float | None) -> Diagnostic:
    """Gate 2 within strata, Bonferroni over them."""
    name = "sample_ratio_by_stratum"
    if expected is None:
        return unknown(name, "no split was registered", "register expected_split", SRM_LIMIT)
    there, size = np.bincount(stratum, treated), np.bincount(stratum)
    p_values = [
        srm_p(int(t), int(n - t), expected)
        for t, n in zip(there, size, strict=True)
        if min(t, n - t) >= SRM_MIN
    ]
    if not p_values:
        return unknown(name, f"every stratum has an arm below {SRM_MIN} units", threshold=SRM_LIMIT)
    p = min(1.0, min(p_values) * len(p_values))
    if p < SRM_LIMIT:
        return diagnostic(
            name, p, SRM_LIMIT, Verdict.WARN, "a stratum's split is not as registered",
            "look at that stratum's assignment and logging",
        )  # fmt: skip
    return diagnostic(
        name, p, SRM_LIMIT, Verdict.PASS, f"the worst of {len(p_values)} strata is as registered"
    )


def mixed_exposure(share: float | None, what: str) -> Diagnostic:
    """Gate 3: units that met both arms."""
    name = "mixed_exposure"
    if share is None:
        return unknown(
            name, "no unit column: a unit in both arms cannot be seen", "name the unit column", MIXED_WARN
        )
    verdict = Verdict.PASS if share <= MIXED_WARN else Verdict.WARN if share <= MIXED_BLOCK else Verdict.BLOCK
    todo = (
        NO_ACTION if verdict is Verdict.PASS else "find out why units met both arms; assign by a wider unit"
    )
    return diagnostic(name, share, MIXED_WARN, verdict, f"{share:.2%} of {what} met both arms", todo)


def repeated_units(rows: int, units: int, name: str) -> Diagnostic:
    """Rows of one unit are alike, so that an interval from rows is too narrow: each unit needs one row, or a cluster."""
    words = f"{rows:,} rows of {units:,} values of {name}"
    if rows > units:
        return diagnostic(
            "repeated_units", rows / units, 1, Verdict.WARN, f"{words}: rows of one unit are not independent of each other",
            f"write cluster: {name}, or keep one row for each unit",
        )  # fmt: skip
    return diagnostic("repeated_units", 1, 1, Verdict.PASS, f"{words}: one for each")


def attrition(missing: tuple[int, int], arms: tuple[int, int]) -> Diagnostic:
    """Are outcomes missing more often in one arm? Arms as (treated, control) counts of all assigned rows."""
    name = "attrition"
    if not sum(missing):
        return diagnostic(name, None, SRM_LIMIT, Verdict.PASS, "every row has an outcome")
    p = _two_shares_p(missing, arms)
    shares = f"missing outcomes: treated {missing[0] / arms[0]:.1%}, control {missing[1] / arms[1]:.1%}"
    if p < SRM_LIMIT:
        return diagnostic(
            name, p, SRM_LIMIT, Verdict.WARN, f"{shares}: who is missing depends on the arm",
            "recover the missing outcomes, or analyse an outcome known for all",
        )  # fmt: skip
    return diagnostic(name, p, SRM_LIMIT, Verdict.PASS, shares)


def _two_shares_p(k: tuple[int, int], n: tuple[int, int]) -> float:
    pooled = sum(k) / sum(n)
    if not 0 < pooled < 1:
        return 1.0
    gap = k[0] / n[0] - k[1] / n[1]
    return float(chdtrc(1, gap**2 / (pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]))))


def smd(values: Floats, treated: Floats) -> Floats:
    """Standardised mean differences (k,) of the columns of `values` (n, k); NaN for a column without spread."""
    a, b = values[treated == 1], values[treated == 0]
    spread = np.sqrt((a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap: Floats = (a.mean(axis=0) - b.mean(axis=0)) / spread
    return gap


def joint_balance_p(values: Floats, treated: Floats) -> float:
    """P value that all baseline means (n, k) are equal between arms: Hotelling's test, unequal variances, F."""
    a, b = values[treated == 1], values[treated == 0]
    k = values.shape[1]
    cov = np.atleast_2d(np.cov(a.T)) / len(a) + np.atleast_2d(np.cov(b.T)) / len(b)
    gap = a.mean(axis=0) - b.mean(axis=0)
    df = len(a) + len(b) - k - 1
    square = float(gap @ np.linalg.pinv(cov) @ gap)
    rank = int(np.linalg.matrix_rank(cov))
    return float(fdtrc(rank, df, square / rank * df / (len(a) + len(b) - 2))) if rank and df > 0 else 1.0


def balance(values: Floats, treated: Floats, names: tuple[str, ...]) -> Diagnostic:
    """Gate 4: were the arms alike before the study? Each row a unit (or a cluster's mean)."""
    name = "balance"
    if not names:
        return unknown(
            name, "no column measured before the study is named",
            "name pre_outcome or adjust_for, so that the arms can be compared at baseline", BALANCE_LIMIT,
        )  # fmt: skip
    few = min(int(treated.sum()), int((1 - treated).sum()))
    if few < 3 or len(values) < len(names) + 3:
        return unknown(name, "too few units for the number of baseline columns", threshold=BALANCE_LIMIT)
    gaps = np.abs(smd(values, treated))
    worst = int(np.argmax(np.where(np.isfinite(gaps), gaps, -1)))
    if not np.isfinite(gaps[worst]):
        return unknown(name, "no column measured before the study varies within the arms", "", BALANCE_LIMIT)
    p = joint_balance_p(values, treated)
    words = f"largest standardised difference {gaps[worst]:.2f} ({names[worst]}), joint p = {p:.2g}"
    if p < BALANCE_LIMIT:
        return diagnostic(
            name, p, BALANCE_LIMIT, Verdict.BLOCK, f"the arms differ at baseline: {words}",
            "these arms were not formed by chance: use a design for observational data, or find the fault",
        )  # fmt: skip
    return diagnostic(name, p, BALANCE_LIMIT, Verdict.PASS, words)


def undeclared_differences(gaps: Floats, names: tuple[str, ...]) -> Diagnostic:
    """Columns the plan does not name, but which tell the arms apart: a sign of arms not formed by chance."""
    name = "undeclared_differences"
    known = np.where(np.isfinite(gaps), np.abs(gaps), -1.0)
    if not len(known) or known.max() < 0:
        return diagnostic(name, None, UNDECLARED_LIMIT, Verdict.PASS, "the file has no other numeric column")
    worst = int(np.argmax(known))
    words = f"largest standardised difference among other columns {known[worst]:.2f} ({names[worst]})"
    if known[worst] > UNDECLARED_LIMIT:
        return diagnostic(
            name, known[worst], UNDECLARED_LIMIT, Verdict.WARN, words,
            f"say what {names[worst]} is: adjust_for if measured before the study, after_treatment if after it",
        )  # fmt: skip
    return diagnostic(name, known[worst], UNDECLARED_LIMIT, Verdict.PASS, words)


def clusters(
    groups: int, treated: int, control: int, *, few: int = 6, many: int = 20, thin: int = 6
) -> Diagnostic:
    """Gate 7: clusters enough for a standard error by cluster? With one treated cluster there never are."""
    name, words = "clusters", f"{groups} clusters: {treated} treated, {control} not"
    if groups < few or min(treated, control) < 2:
        return diagnostic(
            name, groups, few, Verdict.BLOCK, f"{words}; cluster-robust inference fails (false positives to 47 %)",
            "use placebo or randomisation inference (synthetic control), or assign more clusters",
        )  # fmt: skip
    if min(treated, control) < thin:
        return diagnostic(
            name, min(treated, control), thin, Verdict.WARN, f"{words}: fewer than {thin} on one side",
            "read the wild bootstrap's or randomisation p value beside the interval",
        )  # fmt: skip
    note = "; the interval uses few-cluster corrections" if groups <= many else ""
    return diagnostic(name, groups, few, Verdict.PASS, words + note)


def detectable(effect: Effect) -> Diagnostic:
    """The smallest effect this study would have found four times in five."""
    name = "minimum_detectable_effect"
    if effect.se is None:
        return unknown(name, "there is no standard error")
    size = (Z + POWER_Z) * effect.se
    return diagnostic(name, size, None, Verdict.PASS, f"effects beyond {size:.4g} are found with 80 % power")


def verdicts_agree(answer: Answer) -> Diagnostic:
    """Gate 17: the absolute and the relative interval say the same."""
    name = "relative_vs_absolute"
    effect, relative = answer.effect, answer.relative
    if effect.low is None or effect.high is None or relative is None or relative.low is None:
        return unknown(name, "one of the two intervals is not defined")
    absolute = effect.low > 0 or effect.high < 0
    other = relative.low > 0 or (relative.high is not None and relative.high < 0)
    if absolute == other:
        return diagnostic(name, 1, 1, Verdict.PASS, "the absolute and the relative interval agree")
    return diagnostic(
        name, 0, 1, Verdict.WARN, "the absolute and the relative interval disagree about zero",
        "the absolute effect is the primary one; report both",
    )  # fmt: skip


def swapped(effect: Effect, reversed_effect: Effect) -> Diagnostic:
    """Gate 1's self-test: the arms exchanged must give the effect with the opposite sign."""
    name = "swapped_arms"
    if effect.estimate is None or reversed_effect.estimate is None:
        return unknown(name, "there is no estimate")
    gap = abs(effect.estimate + reversed_effect.estimate)
    limit = 1e-6 * max(abs(effect.estimate), effect.se or 1.0)
    if gap > limit:
        return diagnostic(
            name, gap, limit, Verdict.BLOCK, "arms exchanged, the effect does not only change its sign",
            "numbers of very different sizes lose their digits: look for extreme values and weights",
        )  # fmt: skip
    return diagnostic(name, gap, limit, Verdict.PASS, "arms exchanged, the sign of the effect exchanges")


def relevant_roi(roi: float | None) -> Diagnostic:
    """Gate 20: the return is plausible."""
    name = "roi_plausible"
    if roi is None:
        return unknown(name, "no return was computed")
    if ROI_LEAST <= roi <= ROI_MOST:
        return diagnostic(name, roi, ROI_MOST, Verdict.PASS, "the return is between -1 and 20 times the cost")
    passed = ROI_MOST if roi > ROI_MOST else ROI_LEAST
    return diagnostic(
        name, roi, passed, Verdict.WARN, "a return below -1 or above 20 times the cost is rarely true",
        "check units, currency, missing cost lines and the unit value",
    )  # fmt: skip


def spill_over(share: float | None) -> Diagnostic:
    """Gate 21: comparison units that met the treatment after all; None where no row is a comparison throughout."""
    if share is None:
        return unknown("spill_over", "every unit is treated at some time: none is a comparison throughout")
    words = f"{share:.1%} of comparison rows met the treatment"
    if share > SPILL_WARN:
        return diagnostic(
            "spill_over", share, SPILL_WARN, Verdict.WARN, words, "the effect is understated; separate the groups further"
        )  # fmt: skip
    return diagnostic("spill_over", share, SPILL_WARN, Verdict.PASS, words)
