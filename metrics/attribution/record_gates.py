"""Gates 5, 19, 22 and 23 of the field notes: the record of a study rather than its statistics.

Was the baseline written down before anybody looked, is every undefined figure a state with its reason, do the same rows
give the same digits again, and are columns found by their names and never evaluated.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.attribution import gates
from metrics.attribution.result import Alternative, Answer, Diagnostic, PathPoint, Pretended, Share, Verdict

SECONDS_A_DAY = 86_400.0
FORMULA_WORDS = frozenset("C I Q T S Sum Treatment Poly bs cr te".split())  # what formula languages call
SHOWN = 3
NINE_DIGITS = 1e-9  # relative; linear algebra sums in another order on another kind of processor
Span = Alternative | PathPoint | Pretended | Share
OF_THE_RUN = (
    "baseline_frozen",
    "reproducibility",
    "blas_threads",
)  # they tell of this run, not of its figures


@dataclass(frozen=True)
class Frozen:
    """An approved baseline against the first look. Times are seconds of one clock; `rows_sha256` of its checked rows."""

    name: str
    rows_sha256: str
    approved: float
    approved_on: str
    looked: float
    looked_on: str


def baseline_frozen(found: Frozen | None, *, rests: bool) -> Diagnostic:
    """Gate 5: the baseline was approved before the first look at what came after; the value is by how many days.

    `rests`: whether the design compares with a time before at all.
    """
    name = "baseline_frozen"
    if not rests:
        return gates.unknown(
            name,
            "the plan uses no time before: arms are compared with each other, and no baseline is frozen",
            threshold=0,
        )
    if found is None:
        return gates.unknown(
            name, "the plan names no baseline: nothing shows that the time before was written down first",
            "upload the time before as a baseline, have it approved, and name it in the plan: baseline: ID", 0,
        )  # fmt: skip
    days = (found.looked - found.approved) / SECONDS_A_DAY
    words = (
        f"baseline {found.name} (rows {found.rows_sha256[:12]}) was approved on {found.approved_on},"
        f" the first look at results was on {found.looked_on}"
    )
    if days < 0:
        return gates.diagnostic(
            name, days, 0, Verdict.WARN, f"{words}: somebody had looked before the baseline was frozen",
            "say so beside the result; for the next study approve the baseline first",
        )  # fmt: skip
    return gates.diagnostic(name, days, 0, Verdict.PASS, words)


def undefined_figures(answer: Answer) -> Diagnostic:
    """Gate 19: what cannot be computed is a state with its reason, never 0 and never NaN; the value counts breaches."""
    name, faults = "undefined_figures", tuple(_faults(answer))
    unknown = sum(d.verdict is Verdict.UNKNOWN for d in answer.diagnostics)
    empty = sum(v is None for _, v in _numbers(answer))
    if faults:
        return gates.diagnostic(
            name, len(faults), 0, Verdict.BLOCK, f"figures that are no numbers, or none without a reason: {_some(faults)}",
            "report this study: a figure that cannot be computed must say why",
        )  # fmt: skip
    words = f"{empty} figures are not defined and {unknown} gates not computable; each is shown as such, none as 0"
    return gates.diagnostic(name, 0, 0, Verdict.PASS, words)


def _faults(answer: Answer) -> list[str]:
    """Figures that are not finite, a missing effect or gate without its reason, a gate not computable that has a value."""
    found = [where for where, v in _numbers(answer) if v is not None and not math.isfinite(v)]
    effect = answer.effect
    if None in (effect.estimate, effect.se, effect.low, effect.high) and not effect.reason:
        found.append("effect without a reason")
    for d in answer.diagnostics:
        if d.verdict is Verdict.UNKNOWN and (d.value is not None or not d.why):
            found.append(f"gate {d.name}")
    return found


def _numbers(answer: Answer) -> list[tuple[str, float | None]]:
    """Every figure of an answer with its place."""
    found = [(f"effect.{k}", v) for k, v in _fields(answer.effect, "estimate se low high p_value")]
    spans: list[tuple[str, Span]] = [(f"path {p.at:g}", p) for p in answer.path]
    spans += [(a.method, a) for a in answer.alternatives]
    spans += [(f"pretended {p.label}", p) for p in answer.pretended]
    spans += [(at, one) for at in ("relative", "cumulative") if (one := getattr(answer, at)) is not None]
    for at, one in spans:
        found += [(f"{at}.{k}", v) for k, v in _fields(one, "estimate low high")]
    found += [(f"gate {d.name}", d.value) for d in answer.diagnostics]
    found += [("placebo", p) for p in answer.placebos]
    return found + [(f"without {o.name}", o.estimate) for o in answer.left_out]


def _fields(of: object, names: str) -> list[tuple[str, float | None]]:
    return [(name, getattr(of, name)) for name in names.split()]


def threads(pools: Mapping[str, int]) -> Diagnostic:
    """Gate 22: linear algebra ran on one thread, so that sums are made in one order. `pools`: library and its threads."""
    name = "blas_threads"
    if not pools:
        return gates.unknown(name, "no linear-algebra library says how many threads it uses", threshold=1)
    most = max(pools.values())
    words = "threads of linear algebra while this was computed: " + ", ".join(
        f"{library} {count}" for library, count in sorted(pools.items())
    )
    if most > 1:
        return gates.diagnostic(
            name, most, 1, Verdict.WARN, f"{words}; the last digits may depend on the machine",
            "set OPENBLAS_NUM_THREADS=1 and run the study again",
        )  # fmt: skip
    return gates.diagnostic(name, most, 1, Verdict.PASS, words)


@dataclass(frozen=True)
class Earlier:
    """A recorded result of the same plan on the same rows: its figures by place, and what computed it."""

    on: str
    figures: Mapping[str, float]
    versions: tuple[str, ...]


def reproducibility(
    figures: Mapping[str, float], versions: tuple[str, ...], earlier: Earlier | None
) -> Diagnostic:
    """Gate 22: the same plan on the same rows gives the same digits; the value counts figures that differ.

    Blocked where the same versions computed both; told where other versions did.
    """
    name = "reproducibility"
    if earlier is None:
        return gates.unknown(
            name, "first run of this plan on these rows: there is no earlier result to compare with",
            "run the study once more; every figure is then compared with this run's", 0,
        )  # fmt: skip
    both = sorted(set(figures) & set(earlier.figures))
    apart = [at for at in both if figures[at] != earlier.figures[at]]
    words = f"{len(both)} figures compared with the result recorded on {earlier.on} (same plan, same rows)"
    if not both:
        return gates.unknown(
            name, f"the result recorded on {earlier.on} holds no figure of this one", threshold=0
        )
    if not apart:
        return gates.diagnostic(name, 0, 0, Verdict.PASS, f"{words}: all digits are the same")
    gap = max(_gap(figures[at], earlier.figures[at]) for at in apart)
    if gap <= NINE_DIGITS:
        return gates.diagnostic(
            name, len(apart), 0, Verdict.WARN, f"{words}: {len(apart)} differ beyond the ninth digit, as another processor's do",
            "nothing: the difference is far below any interval",
        )  # fmt: skip
    words = f"{words}: {len(apart)} differ, by {gap:.1g} of their size at most ({_some(apart)})"
    changed = sorted(set(versions) ^ set(earlier.versions))
    if changed:
        return gates.diagnostic(
            name, len(apart), 0, Verdict.WARN, f"{words}; other versions computed them: {', '.join(changed)}",
            "read both results; where the difference matters run both versions again",
        )  # fmt: skip
    return gates.diagnostic(
        name, len(apart), 0, Verdict.BLOCK, f"{words}, though the same versions computed both",
        "do not use either figure; report the study with both results",
    )  # fmt: skip


def _gap(a: float, b: float) -> float:
    return abs(a - b) / max(abs(a), abs(b))


def literal_names(asked: Sequence[str], held: Sequence[str]) -> Diagnostic:
    """Gate 23: columns are found by their exact names; the value counts those found, the threshold those asked for."""
    name = "literal_names"
    there, listed = set(held), tuple(dict.fromkeys(asked))
    gone = [n for n in listed if n not in there]
    code = [n for n in listed if n in there and _reads_as_code(n)]
    words = f"{len(listed) - len(gone)} of {len(listed)} column names of the plan are in the header letter by letter"
    if code:
        words += f"; {len(code)} would be code in a formula and were not evaluated ({_some(code)})"
    if gone:
        return gates.diagnostic(
            name, len(listed) - len(gone), len(listed), Verdict.WARN, f"{words}; without effect: {_some(gone)}",
            f"correct the name; the file has: {_some(held, 12)}",
        )  # fmt: skip
    return gates.diagnostic(name, len(listed), len(listed), Verdict.PASS, words)


def _reads_as_code(name: str) -> bool:
    """Whether a formula language would take the name for something else than a column."""
    return not name.isidentifier() or keyword.iskeyword(name) or name in FORMULA_WORDS


def _some(names: Sequence[str], most: int = SHOWN) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(n[:60] for n in names[:most]) + more
