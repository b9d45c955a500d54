"""The families `ownership` and `risk`: counted in SQL, compared with a count in Python over the same rows."""

import datetime as dt

import pytest

from app.govern import rows
from app.govern.lint import expired_still_relied_on, score
from app.govern.model import Row
from app.measure.finished import ScopeError
from app.measure.ledger_readings import LedgerReadings, no_ledger
from data.ledger_views import Bounds
from metrics import ALL
from metrics.core.intervals import wilson
from metrics.core.metric import Reading, Scope
from tests.ledger.homes import OWNERSHIP, RISK, Desk, fresh_on, user

TODAY = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
KEYS = [k for k, m in ALL.items() if m.rollup.ledger]
SCOPED = '["model_id=m"]'
FIRST: Bounds = (
    ("model.auc", "at least", 0.7, "", "not met"), ("model.auc", "at least", 0.7, SCOPED, "met"),
    ("value.units", "at most", 1e-3, "", "not met"), ("value.units", "at most", 0.5, "", "met"),
)  # fmt: skip


def filled(desk: Desk) -> Desk:
    """Three initiatives (one an orphan, one of an owner who left), five risks, three requests."""
    for name in ("churn", "leads", "prices"):
        desk.initiative(name)
    desk.add("ownership", **OWNERSHIP)
    left = desk.add(
        "ownership",
        **OWNERSHIP | {"initiative": "leads", "accountable": user("olga"), "delegate": user("omar")},
    )
    desk.change(left, "omar", next_review=dt.date(2026, 11, 1))
    bound = {"indicator_metric": "model.auc", "indicator_comparator": "at least", "indicator_threshold": 0.7}
    bounds = {"appetite": 5, "tolerance": 8, "statement": "Little", "next_review": dt.date(2027, 1, 1)}
    desk.add("appetites", "carl", category="model performance", **bounds)
    for more in (
        bound, bound | {"residual_likelihood": 5, "indicator_scope": ("model_id=m",)},
        bound | {"owner": None, "indicator_threshold": 0.8}, {"treatment": "accept"},
        {"treatment": "accept", "category": "privacy"},
        {"treatment": "accept", "residual_likelihood": None, "residual_impact": None},
    ):  # fmt: skip
        desk.add("risks", **RISK | more)
    for at, risk in enumerate(("RISK-0004", "RISK-0005", "RISK-0006")):
        wire = {
            "tripwire_metric": "value.units",
            "tripwire_comparator": "at most",
            "tripwire_threshold": (0.5, 1e-3, 7)[at],
        }
        asked = desk.add(
            "acceptances", risk=risk, justification="Known", expires=dt.date(2026, 12, 1 + at), **wire
        )
        given = desk.step("submit", asked)
        if at < 2:
            desk.step("accept", given, "carl")
    return desk


def readings(desk: Desk, bounds: Bounds = FIRST, at: dt.datetime = TODAY) -> LedgerReadings:
    return LedgerReadings(lambda: desk.ledger.store, lambda: at, lambda: bounds)


def one(desk: Desk, key: str, scope: Scope | None = None, **more: object) -> Reading:
    (found,) = readings(desk, **more).read(ALL[key], scope or Scope())  # type: ignore[arg-type]
    return found


def held(desk: Desk, register: str) -> tuple[Row, ...]:
    with desk.ledger.store.read() as db:
        return rows.rows(db, register, live=True)


def test_shares_are_what_the_rows_say_with_wilsons_interval(lite: Desk):
    filled(lite)
    expected = {
        "ownership.coverage": (2, 3), "ownership.delegation": (1, 3), "ownership.overdue_reviews": (1, 9),
        "risk.above_appetite": (5, 4 + 0), "risk.above_tolerance": (1, 4), "risk.aged_share": (0, 6),
        "risk.expired_relied_on": (2, 3), "risk.without_owner": (1, 6), "risk.indicators_in_breach": (1, 2),
    }  # fmt: skip
    appetite = 5
    rated = [r for r in held(lite, "risks") if r["category"] == "model performance" and score(r, "residual")]
    expected["risk.above_appetite"] = (sum(score(r, "residual") > appetite for r in rated), len(rated))  # type: ignore[operator]
    for key, (k, n) in expected.items():
        found, rate = one(lite, key), wilson(k, n)
        assert (found.numerator, found.denominator, found.n) == (k, n, n), key
        assert (found.value, found.low, found.high) == pytest.approx((rate.value, rate.low, rate.high)), key


def test_an_acceptance_past_its_day_or_its_tripwire_is_no_longer_in_force(lite: Desk):
    filled(lite)
    assert one(lite, "risk.expired_relied_on", bounds=()).numerator == 1
    assert one(lite, "risk.expired_relied_on").numerator == 2
    later = dt.datetime(2026, 12, 2, tzinfo=dt.UTC)
    assert one(lite, "risk.expired_relied_on", bounds=(), at=later).numerator == 2


def test_the_count_of_what_is_relied_on_agrees_with_the_lint_rule(lite: Desk):
    from app.govern.books import book

    filled(lite)
    for day in (TODAY, TODAY + dt.timedelta(days=12), TODAY + dt.timedelta(days=40)):
        notes = expired_still_relied_on(book(lite.ledger), day.date())
        assert one(lite, "risk.expired_relied_on", bounds=(), at=day).numerator == len(notes)


def test_counts_orphans_and_ages(lite: Desk):
    filled(lite)
    assert one(lite, "ownership.orphans").value == 1
    assert one(lite, "risk.open").value == 6
    assert one(lite, "risk.open", Scope(by=("age_band",))).by == (("age_band", "under 30 days"),)
    old = TODAY + dt.timedelta(days=200)
    assert one(lite, "risk.open", Scope(by=("age_band",)), at=old).by == (("age_band", "90 days to a year"),)
    assert one(lite, "risk.aged_share", at=old).value == 1
    assert one(lite, "risk.open", Scope(where=(("treatment", "accept"),))).value == 3


def test_an_owner_who_is_retired_owns_nothing(lite: Desk):
    filled(lite)
    with lite.ledger.store.read() as db:
        olga = rows.current(db, "users", user("olga"))
    from app.govern.model import Step

    lite.do(Step("retire", "users", olga.record_id, olga.version), "adam")
    assert one(lite, "ownership.orphans").value == 2


def test_half_of_the_requests_waited_this_long_and_the_undecided_are_censored(lite: Desk):
    filled(lite)
    found = one(lite, "ownership.time_to_decide")
    assert (found.n, found.numerator, found.denominator) == (3, 2, 3)
    assert found.value == 1.0  # the desk's clock moves a second a look
    assert found.method.startswith("Kaplan-Meier")
    pending = one(lite, "ownership.time_to_decide", Scope(by=("register",)))
    assert pending.by == (("register", "acceptances"),)


def test_the_past_is_counted_as_it_stood(lite: Desk):
    filled(lite)
    before = lite.ledger.clock()
    for risk in held(lite, "risks"):
        from app.govern.model import Step

        lite.do(Step("retire", "risks", risk.record_id, risk.version), "carl")
    assert one(lite, "risk.open").value is None
    assert one(lite, "risk.open", Scope(as_of=before)).value == 6
    early = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    assert all(one(lite, k, Scope(as_of=early)).value is None for k in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_ledger_and_none_at_all_say_what_to_do(key: str, lite: Desk):
    for found in (readings(lite, bounds=()).read(ALL[key], Scope()), no_ledger().read(ALL[key], Scope())):
        assert [r.value for r in found] == [None]
        assert len(found[0].reason) > 10


def test_the_ledger_has_no_days_and_no_foreign_dimensions(lite: Desk):
    with pytest.raises(ScopeError, match="--as-of"):
        readings(lite).read(ALL["risk.open"], Scope(since=dt.date(2026, 1, 1)))
    with pytest.raises(ScopeError, match="age_band"):
        readings(lite).read(ALL["risk.open"], Scope(by=("colour",)))
    with pytest.raises(ValueError, match="no setting"):
        readings(lite).read(ALL["risk.open"], Scope(settings=(("colour", "red"),)))


@pytest.mark.postgres
def test_both_databases_give_the_same_digits(lite: Desk, pg: str):
    twin = filled(fresh_on(pg).people())
    filled(lite)
    first = {
        ALL[key].rollup.key: key for key in reversed(KEYS)
    }  # a breakdown's cells are the rollup's, whoever asks
    broken = [(key, Scope(by=(d,))) for key in first.values() for d in ALL[key].rollup.dims]
    for key, scope in [*((key, Scope()) for key in KEYS), *broken]:
        ours, theirs = (readings(d).read(ALL[key], scope) for d in (lite, twin))
        assert [(r.by, r.value, r.low, r.high, r.n, r.reason) for r in ours] == [
            (r.by, r.value, r.low, r.high, r.n, r.reason) for r in theirs
        ]
    twin.ledger.store.close()
