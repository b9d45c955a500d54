"""A council with an initiative before it, and numbers that a test sets by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from app.govern.gates.evaluate import Sources
from app.govern.gates.look import look
from app.govern.gates.review import Reasons, Request, deciding, opening, review_row, sight, voting
from app.govern.model import Add, Receipt
from metrics.core.metric import Metric, Reading, Scope
from tests.ledger.homes import INITIATIVE, OWNERSHIP, RISK, ROOT, Desk, user, who

COUNCIL = ("carl", "cleo", "cora", "cyrus")
REASONS = Reasons("Customers leave", "Scale or wait", "The effect is proven", "Sales scales")
FAR = dt.date(2027, 10, 1)
CONDITION = {
    "title": "The effect lasts", "kind": "hold from now", "metric": "value.mean_difference",
    "comparator": "at least", "threshold": 2.0, "owner": user("omar"), "due": dt.date(2026, 12, 1),
}  # fmt: skip
BASELINE = {
    "title": "Before", "metric": "value.mean_difference", "grain": "month", "initiative": "churn", "template": "1",
    "decimal": "point", "date_order": "year-month-day", "zone": "UTC", "file_name": "b.csv", "sha256": "a" * 64,
    "bytes": 1, "rows_sha256": "b" * 64, "rows": 1, "first": dt.date(2026, 1, 1), "last": dt.date(2026, 6, 1),
}  # fmt: skip
GOOD, STRADDLES, BAD = (5.0, 4.0, 6.0), (3.0, 1.0, 5.0), (-2.0, -3.0, -1.0)


@dataclass
class Numbers:
    """Stands in for the Readings: value, low, high by metric; everything else is fine."""

    at: dt.datetime
    held: dict[str, tuple[float, float | None, float | None]] = field(default_factory=dict)
    n: int = 1000
    missing: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()

    def read(self, metric: Metric[object], scope: Scope) -> tuple[Reading, ...]:
        value, low, high = self.held.get(metric.key, (0.5, None, None))
        gone = metric.key in self.missing
        numbers = (None, None, None) if gone else (value, low, high)
        return (
            Reading(
                metric.key, scope.where, *numbers, 0 if gone else self.n, None, None, metric.unit, "by hand",
                "nothing is loaded" if gone else "", (), self.at, "g1.d1",
            ),
        )  # fmt: skip

    def days(self, _: object) -> None:
        return None

    def inadmissible(self, metric: Metric[object]) -> tuple[str, ...]:
        return ("contract Experiments (experiment_units-v1) is broken",) if metric.key in self.broken else ()


@dataclass
class Chamber:
    """A desk with a council and numbers."""

    desk: Desk
    numbers: Numbers

    @property
    def sources(self) -> Sources:
        found = look(self.desk.ledger)
        self.numbers.at = max(self.numbers.at, found.at - dt.timedelta(days=1))
        return Sources(found, self.numbers, self.numbers.inadmissible)  # type: ignore[arg-type]

    def open(self, who_: str = "omar", gate: str = "scale", **more: object) -> Receipt:
        asked = Request("churn", gate, "Scale it", **more)  # type: ignore[arg-type]
        return self.desk.do(opening(self.desk.ledger, self.sources, who(who_), asked), who_)

    def vote(self, review: str, name: str, vote: str = "approve", statement: str = "because") -> Receipt:
        found = self.sources.look
        return self.desk.do(voting(found, review_row(found, review), who(name), vote, statement), name)

    def votes(self, review: str, *names: str) -> None:
        for name in names:
            self.vote(review, name)

    def deciding(self, review: str, outcome: str) -> Add:
        found = self.sources
        row = review_row(found.look, review)
        return deciding(found, row, outcome, REASONS, sight(found, row).basis.sha256)

    def decide(self, review: str, outcome: str = "go", name: str = "carl") -> Receipt:
        return self.desk.do(self.deciding(review, outcome), name)

    def condition(self, review: str, name: str = "carl", **values: object) -> Receipt:
        return self.desk.add("conditions", name, review=review, **{**CONDITION, **values})

    def go(self, review: str = "", *names: str, outcome: str = "go") -> str:
        """Open, vote and decide in one; the decision's number."""
        number = review or self.open().record_id
        self.votes(number, *(names or COUNCIL[:3]))
        return self.decide(number, outcome).record_id

    def row(self, register: str, record_id: str):
        found = look(self.desk.ledger).find(register, record_id)
        assert found is not None
        return found

    def later(self, **delta: float) -> None:
        self.desk.ledger.clock.now += dt.timedelta(**delta)  # type: ignore[attr-defined]


def chamber(desk: Desk, tier: str = "tier 1") -> Chamber:
    """Everything that the gate of scale asks for, filled in; numbers good."""
    for name in ("cora", "cyrus"):
        desk.add("users", ROOT, issuer="demo", subject=name, name=name.title(), roles=("council",))
    case = {
        "baseline_metric": "value.mean_difference",
        "minimum_improvement": 2.0,
        "experiment_ids": ("trial",),
    }
    desk.add("initiatives", record_id="churn", **{**INITIATIVE, **case, "materiality": tier})
    desk.add("ownership", **{**OWNERSHIP, "next_review": FAR})
    words = {"oversight": "o", "escalation": "e", "fallback": "f"}
    desk.add(
        "decisions",
        initiative="churn",
        title="Who",
        decider=user("omar"),
        frequency="daily",
        automation="none",
        **words,
    )
    desk.add(
        "postures", decision="DEC-0001", metric="model.auc", comparator="at least", acceptable=0.7, why="w",
        declared_by=user("omar"), next_review=FAR, **words,
    )  # fmt: skip
    desk.add(
        "appetites",
        "carl",
        category="model performance",
        appetite=6,
        tolerance=8,
        statement="s",
        next_review=FAR,
    )
    desk.add("risks", **{**RISK, "next_review": FAR})
    desk.add(
        "operability", initiative="churn", rollback_plan="off", rollback_tested=dt.date(2026, 10, 1), runbook="wiki",
        on_call="rota", owner=user("omar"), next_review=FAR,
    )  # fmt: skip
    desk.add(
        "contracts", "anna", record_id="experiment_units-v1", title="Experiments", contract_version="1", status="active",
        table_name="experiment_units", owner=user("anna"), document="{}",
    )  # fmt: skip
    before = desk.add("baselines", "anna", record_id="before", **BASELINE)
    desk.step("approve", desk.step("submit", before, "anna"), "carl")
    return Chamber(desk, good_numbers(desk))


def good_numbers(desk: Desk) -> Numbers:
    """Numbers under which the gate of scale holds."""
    return Numbers(
        desk.ledger.clock(), {"value.mean_difference": GOOD, "value.srm_p_value": (0.4, None, None)}
    )
