"""From YAML text to a Spec. Unknown keys, wrong types and missing keys are named; see shared study-spec."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Mapping
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from app.measure.studies.loader import Loader
from app.measure.studies.spec import (
    AGGREGATIONS,
    CONTROL_GROUPS,
    DESIGNS,
    DIRECTIONS,
    FAMILIES,
    SYNTHETIC,
    Money,
    Scalar,
    Source,
    Spec,
    SpecError,
    apart,
    unit_value_of,
)

COMMON = tuple(
    "name design data warehouse delimiter decimal outcome numerator denominator direction coding_confirmed unit period "
    "unit_value recapture costs discount_rate other_interventions planned_end chosen_on_baseline exposed "
    "initiative baseline".split()
)
REQUIRED = ("name", "design", "direction")
OWN: dict[str, tuple[str, ...]] = {
    "randomised": tuple(
        "arm treated control expected_split pre_outcome stratum cluster log_outcome adjust_for log_adjust "
        "after_treatment planned_units looks uplift_by uplift_method".split()
    ),
    "did": tuple("treated_unit post treated_from cluster weight covariates anticipation log_outcome".split()),
    "staggered": tuple("cohort control_group aggregation cluster anticipation log_outcome".split()),
    "synthetic_control": tuple("treated_units treated_from method log_outcome".split()),
    "interrupted_series": tuple(
        "treated_from controls offset family season_period harmonics flow log_outcome".split()
    ),
}
NEEDED: dict[str, tuple[str, ...]] = {
    "randomised": ("arm", "treated", "control"),
    "did": ("unit", "period", "treated_unit"),
    "staggered": ("unit", "period", "cohort"),
    "synthetic_control": ("unit", "period", "treated_units", "treated_from"),
    "interrupted_series": ("period", "treated_from"),
}
MOST_LOOKS = 50
KNOWN = tuple(dict.fromkeys((*COMMON, *(k for keys in OWN.values() for k in keys))))


def read_spec(path: Path) -> tuple[Spec, Mapping[str, object]]:
    """The specification in a file, and its keys as written (for the plan's hash)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = yaml.load(text, Loader)  # noqa: S506 (derived from the safe loader)
    except UnicodeDecodeError as error:
        raise SpecError(f"{path.name}: not UTF-8 text at byte {error.start}; save it as UTF-8") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{path.name}: not YAML: {str(error).replace(chr(10), ' ')}") from error
    if not isinstance(found, dict) or not all(isinstance(k, str) for k in found):
        raise SpecError(f"{path.name}: write `key: value` lines; see docs for the keys of a study")
    return parse(found, path.parent), found


def parse(found: Mapping[str, object], folder: Path) -> Spec:
    """A Spec from the keys as written; paths are relative to `folder`."""
    _known(found)
    keys = Keys(found, folder)
    for key in REQUIRED:
        keys.need(key)
    design = keys.choice("design", DESIGNS)
    for key in NEEDED[design]:
        keys.need(key, f"design {design} needs it")
    if design == "did" and ("post" in found) == ("treated_from" in found):
        raise SpecError("give one of `post` (a 0/1 column) and `treated_from` (the first treated period)")
    outcome, denominator = keys.outcome()
    used = (*COMMON, *OWN[design])
    apart(outcome, found, used)
    return Spec(
        name=keys.text("name"),
        design=design,
        source=keys.source(),
        direction=keys.choice("direction", DIRECTIONS),
        coding_confirmed=keys.flag("coding_confirmed"),
        outcome=outcome,
        denominator=denominator,
        **keys.columns(used),  # type: ignore[arg-type]
        **keys.options(used),  # type: ignore[arg-type]
        money=keys.money(),
        initiative=keys.column("initiative"),
        baseline=keys.column("baseline"),
        unused=tuple(k for k in found if k not in used),
    )


def _known(found: Mapping[str, object]) -> None:
    for key in found:
        if key not in KNOWN:
            near = difflib.get_close_matches(key, KNOWN, 1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; the keys are: {', '.join(KNOWN)}"
            raise SpecError(f"unknown key `{key}`{hint}")


class Keys:
    """Typed access to the keys of a specification; every error names the key and its value."""

    def __init__(self, found: Mapping[str, object], folder: Path) -> None:
        self.found, self.folder = found, folder

    def need(self, key: str, why: str = "every study needs it") -> object:
        if self.found.get(key) is None:
            raise SpecError(f"the key `{key}` is missing; {why}")
        return self.found[key]

    def text(self, key: str) -> str:
        value = self.need(key)
        if not isinstance(value, str | int | float) or isinstance(value, bool) or str(value).strip() == "":
            raise SpecError(f"{key}: {value!r} is no name; write text")
        return str(value)

    def column(self, key: str) -> str | None:
        return None if self.found.get(key) is None else self.text(key)

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.found.get(key, default)
        if value not in choices:
            raise SpecError(f"{key}: {value!r} is not one of {', '.join(choices)}")
        return str(value)

    def flag(self, key: str) -> bool:
        value = self.found.get(key, False)
        if not isinstance(value, bool):
            raise SpecError(f"{key}: {value!r} is neither true nor false")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float | None:
        value = self.found.get(key, default)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise SpecError(f"{key}: {value!r} is no number from {low:g} to {high:g}")
        if not math.isfinite(value):
            raise SpecError(f"{key}: {value!r} is not finite")
        return float(value)

    def names(self, key: str) -> tuple[str, ...]:
        value = self.found.get(key)
        if value is None:
            return ()
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(v, str | int) and not isinstance(v, bool) for v in listed):
            raise SpecError(f"{key}: {value!r}; write a list of column names, e.g. [a, b]")
        if len(set(listed)) < len(listed):
            raise SpecError(f"{key}: {value!r} names a column twice")
        return tuple(str(v) for v in listed)

    def scalar(self, key: str) -> Scalar | None:
        value = self.found.get(key)
        if value is None or isinstance(value, str | int | float | bool | dt.date):
            return value
        raise SpecError(f"{key}: {value!r}; write one value")

    def scalars(self, key: str) -> tuple[Scalar, ...]:
        value = self.found.get(key)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(v, str | int | float | bool | dt.date) for v in listed):
            raise SpecError(f"{key}: {value!r}; write a list of values, e.g. [California]")
        return tuple(listed)

    def looks(self) -> tuple[float, ...]:
        """Shares of the registered number at which somebody will look, rising, above 0 and at most 1."""
        value = self.found.get("looks")
        listed = [] if value is None else value
        if not isinstance(listed, list) or len(listed) > MOST_LOOKS or not all(map(_is_share, listed)):
            raise SpecError(f"looks: {value!r}; write shares of planned_units, e.g. [0.25, 0.5, 0.75, 1]")
        if listed != sorted(set(listed)):
            raise SpecError(f"looks: {value!r}; the shares must rise")
        return tuple(float(v) for v in listed)

    def outcome(self) -> tuple[str, str | None]:
        """The outcome's column and its denominator, if it is a ratio."""
        value = self.found.get("outcome")
        pair = value if isinstance(value, dict) else self.found
        if value is None or isinstance(value, dict):
            if pair.get("numerator") is None or pair.get("denominator") is None:
                raise SpecError("give `outcome`, a column, or both `numerator` and `denominator`")
            return str(pair["numerator"]), str(pair["denominator"])
        if self.found.get("numerator") is not None:
            raise SpecError("give `outcome` or `numerator` with `denominator`, not both")
        return self.text("outcome"), self.column("denominator")

    def columns(self, used: tuple[str, ...]) -> dict[str, object]:
        single = "unit period arm pre_outcome stratum cluster treated_unit post weight cohort offset exposed uplift_method"
        several = "adjust_for after_treatment covariates controls uplift_by"
        found: dict[str, object] = {k: self.column(k) for k in single.split() if k in used}
        return found | {k: self.names(k) for k in several.split() if k in used}

    def options(self, used: tuple[str, ...]) -> dict[str, object]:
        """What is no column: values, numbers, flags and choices of the design."""
        values = "treated control treated_from planned_end".split()
        found: dict[str, object] = {k: self.scalar(k) for k in values if k in used}
        found |= {k: self.flag(k) for k in ("log_outcome", "log_adjust", "flow") if k in used}
        if "expected_split" in used:
            found["expected_split"] = self.number("expected_split", 1e-6, 1 - 1e-6)
        if "planned_units" in used:
            found["planned_units"] = self.number("planned_units", 1, 1e12)
            found["looks"] = self.looks()
        if "treated_units" in used:
            found["treated_units"] = self.scalars("treated_units")
            found["method"] = self.choice("method", SYNTHETIC, "sdid")
        if "cohort" in used:
            found["control_group"] = self.choice("control_group", CONTROL_GROUPS, "never_treated")
            found["aggregation"] = self.choice("aggregation", AGGREGATIONS, "group")
        if "family" in used:
            found["family"] = self.choice("family", FAMILIES, "gaussian")
            found["season_period"] = self.number("season_period", 2, 10_000)
            found["harmonics"] = int(self.number("harmonics", 0, 50, 0) or 0)
        if "anticipation" in used:
            found["anticipation"] = int(self.number("anticipation", 0, 1000, 0) or 0)
        chosen = self.found.get("chosen_on_baseline")
        found["chosen_on_baseline"] = None if chosen is None else self.flag("chosen_on_baseline")
        others = self.found.get("other_interventions")
        found["other_interventions"] = None if others is None else self.names("other_interventions")
        return found

    def source(self) -> Source:
        data = self.found.get("data")
        if isinstance(data, dict) and set(data) == {"warehouse"}:
            return self.table("data", data["warehouse"])
        if data is None and self.found.get("warehouse") is not None:
            return self.table("warehouse", self.found["warehouse"])
        return self.file("data", self.need("data"))

    def file(self, key: str, value: object) -> Source:
        if not isinstance(value, str):
            raise SpecError(
                f"{key}: {value!r}; write a file's path, or warehouse: {{table: ..., where: ...}}"
            )
        path = (self.folder / value).resolve()
        if not path.name.lower().endswith((".csv", ".csv.gz", ".parquet")):
            raise SpecError(f"{key}: {value!r} is no .csv, .csv.gz or .parquet file")
        if not path.is_file():
            raise SpecError(f"{key}: there is no file {path}; the path is relative to the specification")
        return Source(path, self.one_character("delimiter", ","), self.one_character("decimal", "."))

    def one_character(self, key: str, default: str) -> str:
        value = self.found.get(key, default)
        if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
            raise SpecError(f'{key}: {value!r} is not one character, e.g. ";"')
        return value

    def table(self, key: str, value: object) -> Source:
        if not isinstance(value, dict) or not isinstance(value.get("table"), str):
            raise SpecError(f"{key}: {value!r}; write {{table: NAME, where: {{column: value}}}}")
        if extra := set(value) - {"table", "where"}:
            raise SpecError(f"{key}: unknown key {sorted(map(str, extra))[0]!r}; there are table and where")
        where = value.get("where") or {}
        if not isinstance(where, dict) or any(
            v is None or isinstance(v, list | dict) for v in where.values()
        ):
            raise SpecError(f"{key}.where: {where!r}; write {{column: value}}, one value each")
        return Source(table=value["table"], where=tuple((str(k), v) for k, v in where.items()))

    def money(self) -> Money | None:
        """Value and cost; None where no unit value is given."""
        value = self.found.get("unit_value")
        recapture = self.number("recapture", 0, 1, 1.0)
        rate = self.number("discount_rate", -0.5, 10, 0.0)
        if value is None:
            if self.found.get("costs") is not None:
                raise SpecError("costs are given without `unit_value`; give {low, mid, high}")
            return None
        costs = self.found.get("costs")
        source = None
        if isinstance(costs, dict):
            source = self.table("costs", costs.get("warehouse", costs))
        elif costs == "warehouse":
            source = Source(table="costs")
        elif costs is not None:
            source = self.file("costs", costs)
        return Money(unit_value_of(value), recapture or 0.0, source, rate or 0.0)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
