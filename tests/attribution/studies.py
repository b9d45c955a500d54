"""Running a study from a test: a specification beside its data, the result as JSON has it."""

from pathlib import Path

import yaml

from app.measure.studies.outcome import StudyResult
from app.measure.studies.run import run_study

ALWAYS = {"name": "study", "direction": "higher_is_better", "coding_confirmed": True}


def no_warehouse():
    raise AssertionError("this study reads a file")


def study(folder: Path, **spec) -> StudyResult:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**ALWAYS, **spec}))
    return run_study(path, lambda plan, spec: (), no_warehouse)


def csv_of(folder: Path, delimiter: str = ",", **columns) -> str:
    """Columns of one length as a file in `folder`; its name."""
    lines = [
        delimiter.join(columns),
        *(delimiter.join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    return "data.csv"


def verdicts(result: StudyResult) -> dict[str, str]:
    return {d.name: d.verdict.value for d in result.diagnostics}


def other(result: StudyResult, words: str):
    """The one alternative whose method starts with these words."""
    (found,) = [a for a in result.alternatives if a.method.startswith(words)]
    return found
