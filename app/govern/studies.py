"""Studies in the ledger: the plan before any result, the result with its rows' hash, its versions and its gates."""

from __future__ import annotations

import hashlib
import io
import platform
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

import orjson

from app.govern import evidence, rows
from app.govern.commands import execute
from app.govern.model import Actor, Add, CommandError, Invalid, Ledger, Receipt, Row
from app.measure.studies.outcome import StudyResult
from app.measure.studies.plan import Plan, changes
from app.measure.studies.spec import Spec
from app.report import json_of
from app.settings import Settings
from data.ledger_types import Value
from metrics.attribution.record_gates import OF_THE_RUN

METHOD = ("metrics/attribution", "app/measure/studies")  # where a study is computed
LIBRARIES = ("numpy", "scipy", "statsmodels")
LONGEST_PLAN, MOST_RESULT = 90_000, 50 << 20


@dataclass(frozen=True)
class Registrar:
    """Writes plans and results into one ledger for one actor. `key`: of the one command; made from its content if empty."""

    ledger: Ledger
    settings: Settings
    actor: Actor
    key: str = ""

    def register(self, plan: Plan, spec: Spec) -> tuple[str, ...]:
        """Write a plan down, once; what it changes of the last plan of its name. Raises CommandError."""
        held = self._held()
        known = next((r for r in held if r.text("plan_hash") == plan.hash), None)
        if known is None:
            known = self._add(plan, spec, held)
        return known.words("warnings")

    def keep(self, done: StudyResult) -> Receipt | None:
        """Keep a result whole under its hash and record it; None where the same result is recorded already."""
        study = next((r for r in self._held() if r.text("plan_hash") == done.plan_hash), None)
        if study is None:
            raise CommandError(
                f"the plan {done.plan_hash[:12]} is not registered; run the study from its specification"
            )
        record_id = f"{study.record_id}/{_identity(done)}"
        with self.ledger.store.read() as db:
            if rows.current(db, "study_results", record_id) is not None:
                return None
        kept = evidence.keep(evidence.folder(self.settings), io.BytesIO(json_of(done)), MOST_RESULT)
        values = tuple(_values(done, study.record_id, kept).items())
        return execute(
            self.ledger, Add("study_results", values, record_id, "computed"), self.actor, self._key(record_id)
        )

    def _held(self) -> tuple[Row, ...]:
        with self.ledger.store.read() as db:
            return rows.rows(db, "studies")

    def _add(self, plan: Plan, spec: Spec, held: tuple[Row, ...]) -> Row:
        if len(plan.text) > LONGEST_PLAN:
            raise CommandError(
                f"the plan has {len(plan.text):,} bytes, at most {LONGEST_PLAN:,} are registered; shorten it"
            )
        self._sound(spec)
        earlier = max((r for r in held if r.text("title") == spec.name), key=lambda r: r.seq, default=None)
        told = () if earlier is None else changes(
            earlier.text("plan").encode(), f"{earlier.at:%Y-%m-%d}", earlier.text("plan_hash"), plan
        )  # fmt: skip
        values: dict[str, Value] = {
            "title": spec.name, "design": spec.design, "initiative": spec.initiative, "baseline": spec.baseline,
            "plan_hash": plan.hash, "plan": plan.text.decode(), "warnings": tuple(w[:290] for w in told) or None,
        }  # fmt: skip
        record_id = f"{_slug(spec.name)}.{plan.hash[:12]}"
        command = Add("studies", tuple(values.items()), record_id, "registered before the result")
        try:
            execute(self.ledger, command, self.actor, self._key(record_id))
        except Invalid:
            if not any(r.record_id == record_id for r in self._held()):
                raise
        return next(r for r in self._held() if r.record_id == record_id)

    def _key(self, record_id: str) -> str:
        return self.key or hashlib.sha256(f"study {record_id} {self.actor.identity}".encode()).hexdigest()

    def _sound(self, spec: Spec) -> None:
        """A baseline that a plan names is approved: what nobody checked is no baseline."""
        if spec.baseline is None:
            return
        with self.ledger.store.read() as db:
            row = rows.current(db, "baselines", spec.baseline)
        if row is None or row.state != "approved":
            state = "there is none of this identifier" if row is None else f"it is {row.state}"
            raise CommandError(
                f"baseline: {spec.baseline!r} is no approved baseline ({state}); approve it first"
            )


def _identity(done: StudyResult) -> str:
    """Twelve digits of what was found, whenever and however often it was run."""
    lasting = tuple(d for d in done.diagnostics if d.name not in OF_THE_RUN)
    text = json_of(replace(done, diagnostics=lasting))
    return hashlib.sha256(f"{done.plan_hash}{done.data_hash}".encode() + text).hexdigest()[:12]


def _values(done: StudyResult, study: str, kept: evidence.Kept) -> dict[str, Value]:
    roi = done.roi
    return {
        "study": study, "data_hash": done.data_hash, "sha256": kept.sha256, "bytes": kept.bytes, "versions": versions(),
        "grade": done.grade, "counted": done.counted, "blocked_by": done.blocked_by or None, "estimate": done.estimate,
        "low": done.low, "high": done.high, "p_value": done.p_value, "value": roi.value if roi else None,
        "value_low": roi.value_low if roi else None, "value_high": roi.value_high if roi else None,
        "cost": roi.cost if roi else None, "diagnostics": json_of(done.diagnostics).decode(),
    }  # fmt: skip


@cache
def versions() -> tuple[str, ...]:
    """What computed a result, such as numpy 2.4.6; `method` is the hash of our own code for it."""
    digest = hashlib.sha256()
    for room in METHOD:
        for path in sorted((Path(__file__).parents[2] / room).glob("*.py")):
            digest.update(path.read_bytes())
    libraries = (f"{name} {version(name)}" for name in LIBRARIES)
    return (f"python {platform.python_version()}", *libraries, f"method {digest.hexdigest()[:12]}")


def _slug(name: str) -> str:
    plain = "".join(c if c.isalnum() and c.isascii() else "-" for c in name.lower())
    return "-".join(p for p in plain.split("-") if p)[:60] or "study"


def newest(held: tuple[Row, ...], study: str) -> Row | None:
    """The result recorded last of a study."""
    return max((r for r in held if r.text("study") == study), key=lambda r: r.seq, default=None)


def result_of(settings: Settings, row: Row) -> StudyResult:
    """The whole result that a record stands for. Raises EvidenceError where its file is missing or was altered."""
    root, sha256 = evidence.folder(settings), row.text("sha256")
    wrong = evidence.fault(root, sha256)
    if wrong:
        raise evidence.EvidenceError(f"the result of {row.text('study')}: {wrong}")
    return _read(evidence.path_of(root, sha256))


@lru_cache(maxsize=128)
def _read(file: Path) -> StudyResult:
    """The result in a file whose name is the hash of its content, which the caller has just made sure of."""
    from app.govern.rebuild import rebuilt

    return rebuilt(StudyResult, orjson.loads(file.read_bytes()))
