"""Gates: every state of a criterion, votes and quorum by hand, what a decision freezes, and what becomes of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.__main__ import cli
from app.govern.currency import late_at
from app.govern.gates import ballot, basis, registers, then, watch
from app.govern.gates.ballot import allowed, quorum_of, tally
from app.govern.gates.criteria import Criterion
from app.govern.gates.decided import Stands, stands
from app.govern.gates.decided import ballot as votes_of
from app.govern.gates.evaluate import GateError, evaluate
from app.govern.gates.findings import Finding, Standing, standing
from app.govern.gates.look import look, look_at
from app.govern.gates.review import Moved, deciding, delegating, review_row, revoking, sight, voting
from app.govern.model import SYSTEM, Actor, Add, Denied, Invalid, Step
from app.govern.verify import verify
from app.runtime import Runtime
from data.audit import canonical
from data.policies.gates import GATES, TEMPLATES, TRACKS, Outcome, Rules, Weight, template_on
from metrics import ALL
from metrics.core.verdict import State
from tests import conftest
from tests.ledger import homes
from tests.ledger.councils import BAD, COUNCIL, FAR, GOOD, REASONS, STRADDLES, Chamber, chamber, good_numbers
from tests.ledger.homes import ROOT, Desk, user, who

RULES = Rules("tier 1", "standard", 2 / 3, 2 / 3, 3, 0.5)


@pytest.fixture(scope="module")
def ready(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger with everything in place, to be copied."""
    path = tmp_path_factory.mktemp("ready") / "ledger.sqlite"
    chamber(homes.copy_of(template, path))
    return path


@pytest.fixture
def room(ready: Path, tmp_path: Path) -> Chamber:
    found = Chamber(desk := homes.copy_of(ready, tmp_path / "ledger.sqlite"), good_numbers(desk))
    found.later(hours=1)  # the copy's clock starts where the original's did
    return found


def state_of(room: Chamber, key: str, gate: str = "scale") -> tuple[State, str]:
    found = evaluate(room.sources, "churn", gate)
    return next((f.state, f.why) for f in found.findings if f.criterion.key == key)


BENEFIT = "benefit: trial"


# Templates.


def test_templates_name_metrics_checks_and_rules_that_exist():
    for template in TEMPLATES:
        assert template.source
        assert tuple(g.name for g in template.gates) == GATES
        for gate in template.gates:
            assert any(t.weight is Weight.MUST for t in gate.terms)
            assert len({t.key for t in gate.terms}) == len(gate.terms)
            for term in gate.terms:
                assert not term.metric or term.metric in ALL
                assert not term.check or term.check in (*registers.CHECKS, *registers.BY_EVALUATION)
                assert bool(term.check) is not bool(term.metric or term.source != "gate template")
        for tier in ("tier 1", "tier 2", "tier 3"):
            assert [template.rule(tier, track).seats >= 2 for track in TRACKS] == [True, True]


def test_no_template_is_in_force_before_the_first():
    with pytest.raises(KeyError, match="2025-01-01"):
        template_on(dt.date(2024, 12, 31))


# Evaluation.


def test_a_gate_with_everything_in_place_holds(room: Chamber):
    found = evaluate(room.sources, "churn", "scale")
    assert found.standing.holds
    assert found.standing.should_needed == 0  # half of one should-meet criterion, rounded down


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [(GOOD, State.MET), ((2.5, 2.0, 3.0), State.MET), (STRADDLES, State.INCONCLUSIVE), ((1.0, 0.5, 1.9), State.NOT_MET),
     ((2.0, 1.99, 2.5), State.INCONCLUSIVE)],
)  # fmt: skip
def test_a_criterion_is_judged_on_its_bound_not_on_its_point(room: Chamber, numbers, expected):
    room.numbers.held["value.mean_difference"] = numbers
    assert state_of(room, BENEFIT)[0] is expected
    assert evaluate(room.sources, "churn", "scale").standing.holds is (expected is State.MET)


def test_what_is_not_measured_never_passes_and_says_why(room: Chamber):
    room.numbers.missing = frozenset({"value.mean_difference"})
    assert state_of(room, BENEFIT) == (State.NO_DATA, "nothing is loaded")
    found = evaluate(room.sources, "churn", "scale").standing
    assert not found.holds
    assert set(found.gaps) == {
        BENEFIT,
        "no harm: trial",
    }  # an unmeasured kill criterion does not clear anybody


def test_too_few_and_too_old_are_states_of_their_own(room: Chamber):
    room.numbers.n = 150
    assert state_of(room, BENEFIT) == (State.NOT_ENOUGH_DATA, "n is 150; the target asks for 200")
    room.numbers.n = 1000
    found = room.sources
    room.numbers.at = found.look.at - dt.timedelta(days=31)
    old = evaluate(replace(found, look=replace(found.look)), "churn", "scale")
    assert next(f.state for f in old.findings if f.criterion.key == BENEFIT) is State.STALE


def test_a_broken_contract_makes_its_numbers_inadmissible_and_is_named(room: Chamber):
    room.numbers.broken = frozenset({"value.mean_difference"})
    state, why = state_of(room, BENEFIT)
    assert state is State.NO_DATA
    assert "experiment_units-v1" in why
    assert state_of(room, "contracts")[0] is State.NOT_MET
    found = evaluate(room.sources, "churn", "scale").standing
    assert set(found.blocked) == {"contracts", BENEFIT, "no harm: trial"}


def test_a_kill_criterion_that_is_proven_is_named(room: Chamber):
    room.numbers.held["value.mean_difference"] = BAD
    assert evaluate(room.sources, "churn", "scale").standing.killed == ("no harm: trial",)


def test_an_accepted_exception_waives_but_a_waived_gate_does_not_hold(room: Chamber):
    room.numbers.held["value.srm_p_value"] = (0.0001, None, None)
    asked = room.desk.add(
        "exceptions", initiative="churn", rule="split: trial", justification="j", expires=FAR
    )
    assert state_of(room, "split: trial")[0] is State.NOT_MET
    room.desk.step("accept", room.desk.step("submit", asked), "carl")
    assert state_of(room, "split: trial")[0] is State.WAIVED
    found = evaluate(room.sources, "churn", "scale").standing
    assert (found.holds, found.waived, found.gaps) == (False, ("split: trial",), ())
    room.later(days=400)
    assert state_of(room, "split: trial")[0] is not State.WAIVED  # its last day is over


def receipt_of(room: Chamber, register: str, record_id: str):
    from app.govern.model import Receipt

    row = room.row(register, record_id)
    return Receipt(row.seq, "", row.at, register, record_id, row.version)


def test_register_criteria_ask_the_ledger(room: Chamber):
    assert state_of(room, "risks")[0] is State.MET  # residual 2 x 3 = 6, tolerance 8
    room.desk.change(receipt_of(room, "risks", "RISK-0001"), residual_likelihood=3)
    assert state_of(room, "risks") == (
        State.NOT_MET, "RISK-0001 Wrong customers get offers: residual 9 is above tolerance 8 and nobody has accepted it",
    )  # fmt: skip
    asked = room.desk.add("acceptances", risk="RISK-0001", justification="j", expires=FAR)
    room.desk.step("accept", room.desk.step("submit", asked), "carl")
    assert state_of(room, "risks")[0] is State.MET
    room.later(days=200)
    assert state_of(room, "rollback")[0] is State.STALE
    room.desk.step("retire", receipt_of(room, "ownership", "churn"), "carl")
    assert state_of(room, "owner")[0] is State.NO_DATA


def test_a_criterion_without_a_subject_is_not_applicable_and_one_without_a_target_is_no_data(room: Chamber):
    assert state_of(room, "in time")[0] is State.NOT_APPLICABLE
    room.desk.change(receipt_of(room, "initiatives", "churn"), model_ids=("m1",))
    assert state_of(room, "ranking: m1", "production")[0] is State.NO_DATA
    room.desk.add(
        "targets", metric="model.auc", comparator="at least", threshold=0.4, valid_from=dt.date(2026, 1, 1)
    )
    assert state_of(room, "ranking: m1", "production")[0] is State.MET
    found = {f.criterion.key: f.criterion for f in evaluate(room.sources, "churn", "production").findings}
    assert found["ranking: m1"].origin == "target TGT-0001, version 1"


def baseline(room: Chamber, name: str, metric: str, **values: float) -> None:
    upload = room.desk.add(
        "baselines", "anna", record_id=name, title=name, metric=metric, grain="month", initiative="churn", template="1",
        decimal="point", date_order="year-month-day", zone="UTC", file_name="b.csv", sha256="a" * 64, bytes=1,
        rows_sha256="b" * 64, rows=2, first=dt.date(2026, 1, 1), last=dt.date(2026, 6, 1), **values,
    )  # fmt: skip
    room.desk.step("approve", room.desk.step("submit", upload, "anna"), "carl")


@pytest.mark.parametrize(
    ("metric", "before", "today", "expected", "threshold"),
    [("model.recall", {"value": 0.5, "low": 0.45, "high": 0.55}, (0.7, 0.66, 0.74), State.MET, 0.65),
     ("model.recall", {"value": 0.5, "low": 0.45, "high": 0.55}, (0.7, 0.6, 0.8), State.INCONCLUSIVE, 0.65),
     ("model.recall", {"value": 0.5}, (0.62, 0.61, 0.63), State.MET, 0.6),
     ("model.brier", {"value": 0.4, "low": 0.35, "high": 0.45}, (0.2, 0.15, 0.24), State.MET, 0.25),
     ("model.brier", {"value": 0.4, "low": 0.35, "high": 0.45}, (0.3, 0.28, 0.32), State.NOT_MET, 0.25)],
)  # fmt: skip
def test_a_benefit_on_another_metric_is_judged_against_the_approved_baseline(
    room: Chamber, metric: str, before: dict[str, float], today, expected: State, threshold: float
):
    held = receipt_of(room, "initiatives", "churn")
    room.desk.change(held, baseline_metric=metric, minimum_improvement=0.1)
    assert state_of(room, "benefit")[0] is State.NO_DATA
    assert "no approved baseline" in state_of(room, "benefit")[1]
    baseline(room, "earlier", metric, value=0.001)
    baseline(room, "own", metric, **before)
    room.numbers.held[metric] = today
    found = next(f for f in evaluate(room.sources, "churn", "scale").findings if f.criterion.key == "benefit")
    assert found.state is expected
    assert found.criterion.threshold == pytest.approx(threshold)
    assert "of baseline own" in found.criterion.origin
    assert "not attributed" in found.criterion.origin


def test_names_that_do_not_exist_are_told_with_the_choices(room: Chamber):
    for initiative, gate, track in (
        ("x", "scale", "standard"),
        ("churn", "x", "standard"),
        ("churn", "scale", "x"),
    ):
        with pytest.raises(GateError, match="there are: "):
            evaluate(room.sources, initiative, gate, track)


def test_the_registers_are_looked_at_as_they_were(room: Chamber):
    moment = look(room.desk.ledger).at
    room.later(days=1)
    room.desk.change(receipt_of(room, "initiatives", "churn"), title="Renamed")
    assert look_at(room.desk.ledger, moment).find("initiatives", "churn")["title"] == "Churn retention"
    assert look(room.desk.ledger).find("initiatives", "churn")["title"] == "Renamed"


def made(key: str, weight: Weight, state: State, contracts: tuple[str, ...] = ()) -> Finding:
    return Finding(Criterion(key, key, weight), state, "why", contracts=contracts)


@pytest.mark.parametrize(
    "findings",
    [(), (made("a", Weight.MUST, State.NOT_APPLICABLE),), (made("a", Weight.SHOULD, State.MET),),
     (made("a", Weight.KILL, State.MET),), (made("a", Weight.MUST, State.WAIVED),)],
)  # fmt: skip
def test_an_empty_list_never_passes(findings):
    assert not standing(findings, RULES).holds


@pytest.mark.parametrize("state", [s for s in State if s not in (State.MET, State.NOT_APPLICABLE)])
def test_only_met_passes(state: State):
    met = made("a", Weight.MUST, State.MET)
    assert standing((met,), RULES).holds
    assert not standing((met, made("b", Weight.MUST, state)), RULES).holds


# Votes by hand.


@pytest.mark.parametrize(
    ("tier", "track", "seats", "expected"),
    [("tier 1", "standard", 3, 3), ("tier 1", "standard", 4, 3), ("tier 1", "standard", 5, 4), ("tier 1", "standard", 6, 4),
     ("tier 1", "standard", 9, 6), ("tier 2", "standard", 2, 2), ("tier 2", "standard", 4, 3), ("tier 2", "standard", 5, 3),
     ("tier 1", "expedited", 4, 3), ("tier 3", "expedited", 2, 2), ("tier 1", "standard", 1, 3)],
)  # fmt: skip
def test_the_quorum_is_the_share_of_the_independent_members(tier, track, seats, expected):
    assert quorum_of(TEMPLATES[0].rule(tier, track), seats) == expected


HOLDS = Standing(True, "", (), (), (), (), 0, 0, 5)
GAP = replace(HOLDS, holds=False, why="not met: g", gaps=("g",))
ANY = ("hold", "recycle", "kill")


@pytest.mark.parametrize(
    ("votes", "evidence", "covered", "conditions", "expected"),
    [
        ("aa", HOLDS, "", 0, ()),  # 2 of 3
        ("aab", HOLDS, "", 0, ("go",)),  # an abstention is there
        ("aaR", HOLDS, "", 0, ()),  # a recusal is not
        ("aar", HOLDS, "", 0, ("go",)),  # 2 of 3 approve: two thirds
        ("arr", HOLDS, "", 0, ANY),
        ("bbb", HOLDS, "", 0, ANY),  # nobody decides
        ("aac", HOLDS, "", 0, ("go",)),  # approved even without the one who asks for conditions
        ("acc", HOLDS, "", 0, ("hold", "recycle")),  # conditions are asked for and none is proposed
        ("acc", HOLDS, "", 1, ("conditional go",)),
        ("aaa", HOLDS, "", 1, ("go", "conditional go")),
        ("aaa", GAP, "", 1, ("hold", "recycle")),
        ("aaa", GAP, "g", 1, ("conditional go",)),
        ("aaa", replace(GAP, blocked=("g",)), "g", 1, ("hold", "recycle")),
        ("aaa", replace(GAP, killed=("k",)), "g", 1, ("hold", "recycle", "kill")),
        ("aaa", replace(GAP, must_met=0), "g", 1, ("hold", "recycle")),
    ],
)  # fmt: skip
def test_outcomes_follow_votes_and_evidence(votes, evidence, covered, conditions, expected):
    words = {"a": "approve", "c": "approve with conditions", "r": "reject", "b": "abstain", "R": "recused"}
    counted = tally(tuple(words[v] for v in votes), 4, 3, 2 / 3)
    assert allowed(counted, evidence, frozenset(covered), conditions) == expected
    assert bool(ballot.why_not_go(counted, evidence, frozenset(covered), conditions)) is not bool(
        {"go", "conditional go"} & set(expected)
    )


def test_half_is_no_majority():
    assert not tally(("approve", "reject"), 2, 2, 0.5).approved
    assert tally(("approve", "approve", "reject"), 3, 2, 0.5).approved


# Reviews.


def test_opening_freezes_rules_members_criteria_and_evidence(room: Chamber):
    review = room.row("gate_reviews", room.open().record_id)
    assert review["members"] == tuple(user(c) for c in COUNCIL)
    assert (review["quorum"], review["approval"]) == (3, 2 / 3)
    assert review["snapshot_sha256"] == hashlib.sha256(review.text("snapshot").encode()).hexdigest()
    room.desk.change(receipt_of(room, "initiatives", "churn"), minimum_improvement=99.0)
    asked = next(c for c in json.loads(review.text("criteria")) if c["key"] == BENEFIT)
    assert asked["threshold"] == 2.0
    assert sight(room.sources, review).standing.holds  # judged by what was frozen
    room.desk.add("users", ROOT, issuer="demo", subject="cara", name="Cara", roles=("council",))
    with pytest.raises(Denied, match="no seat"):
        room.vote("GATE-0001", "cara")


@pytest.mark.parametrize("who_", ["olga", "carl", "anna", "vera", "adam"])
def test_only_an_owner_of_the_initiative_opens_a_review(room: Chamber, who_: str):
    with pytest.raises(Denied):
        room.open(who_)


def test_there_is_one_open_review_of_a_gate(room: Chamber):
    room.open()
    with pytest.raises(Invalid, match="open already"):
        room.open()
    room.desk.step("withdraw", receipt_of(room, "gate_reviews", "GATE-0001"))
    assert room.open().record_id == "GATE-0002"


@pytest.mark.parametrize(
    ("name", "value"),
    [("members", (user("carl"),)), ("quorum", 1), ("approval", 0.1), ("contributors", ()), ("tier", "tier 3"),
     ("criteria", "[]"), ("snapshot", "{}"), ("snapshot_sha256", "a" * 64), ("template", "0"), ("ratify_by", FAR)],
)  # fmt: skip
def test_a_request_that_bends_the_rules_is_refused(room: Chamber, name: str, value: object):
    from app.govern.gates.review import Request, opening

    command = opening(room.desk.ledger, room.sources, who("omar"), Request("churn", "scale", "r"))
    values = tuple((n, value if n == name else v) for n, v in command.values)
    with pytest.raises(Invalid):
        room.desk.do(replace(command, values=values))


def test_a_council_without_enough_independent_members_cannot_be_asked(room: Chamber):
    with pytest.raises(Invalid, match="1 independent members, 3 must vote"):
        room.open(contributors=tuple(user(c) for c in COUNCIL[:3]))


# Votes through the ledger.


def test_the_requester_and_contributors_never_vote(room: Chamber):
    review = room.open(contributors=(user("cyrus"),)).record_id
    for name in ("omar", "cyrus"):
        with pytest.raises(Denied, match=r"does not vote|own or wrote"):
            room.vote(review, name)


def test_a_vote_is_final_and_one_a_person(room: Chamber):
    review = room.open().record_id
    room.vote(review, "carl")
    with pytest.raises(Denied, match="a vote is final"):
        room.vote(review, "carl", "reject")
    assert votes_of(look(room.desk.ledger), room.row("gate_reviews", review)).counted.approve == 1


def test_nobody_votes_for_somebody_else(room: Chamber):
    review = room.open().record_id
    values = (("review", review), ("seat", user("cleo")), ("vote", "approve"))
    with pytest.raises(Denied, match="nobody votes for somebody else"):
        room.desk.do(Add("gate_votes", values, f"{review} {user('cleo')}"), "carl")
    with pytest.raises(Denied):
        room.desk.do(Add("gate_votes", values, f"{review} {user('cleo')}"), Actor(SYSTEM, "throughline"))


@pytest.mark.parametrize("vote", ["reject", "recused", "approve with conditions"])
def test_a_rejection_a_condition_and_a_conflict_need_words(room: Chamber, vote: str):
    review = room.open().record_id
    with pytest.raises(Invalid, match="needs a statement"):
        room.vote(review, "carl", vote, "")


def test_a_delegate_votes_in_a_seat_and_the_member_no_longer(room: Chamber):
    review = room.open().record_id
    row = room.row("gate_reviews", review)
    for other, why in (("omar", "contributor"), ("cleo", "nobody votes twice")):
        with pytest.raises(Invalid, match=why):
            room.desk.do(delegating(row, user(other)), "carl")
    receipt = room.desk.do(delegating(row, user("olga")), "carl")
    with pytest.raises(Denied, match="Olga votes in this seat"):
        room.vote(review, "carl")
    room.vote(review, "olga")
    vote = room.row("gate_votes", f"{review} {user('carl')}")
    assert vote.by == who("olga")
    with pytest.raises(Denied, match="that you own"):
        room.desk.do(Step("revoke", "gate_delegations", receipt.record_id, 1), "cleo")


def test_a_member_whose_role_is_revoked_in_mid_meeting_is_refused(room: Chamber):
    review = room.open().record_id
    room.desk.change(receipt_of(room, "users", user("carl")), "ada", roles=("viewer",))
    with pytest.raises(Denied):
        room.vote(review, "carl")


# Decisions.


def test_a_go_freezes_its_basis_under_one_hash(room: Chamber):
    number = room.go()
    decision = room.row("gate_decisions", number)
    text = decision.text("basis")
    assert decision["basis_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    found = json.loads(text)
    assert canonical(found) == text
    benefit = next(f for f in found["findings"] if f["criterion"]["key"] == BENEFIT)
    assert benefit["reading"]["value"] == 5.0
    assert (benefit["reading"]["low"], benefit["reading"]["n"]) == (4.0, 1000)
    assert benefit["definition"].startswith("value.mean_difference version ")
    assert len(found["code"]) == 64
    assert decision["makers"] == tuple(user(c) for c in COUNCIL[:3])
    assert decision["tally"] == "3 approve; 3 of 3 needed for the quorum, 4 seats"
    assert basis.thaw(text).sha256 == decision["basis_sha256"]
    assert verify(room.desk.ledger.store, deep=True).state == "intact"


def test_no_decision_without_a_quorum(room: Chamber):
    review = room.open().record_id
    room.votes(review, "carl", "cleo")
    with pytest.raises(Denied, match="no quorum"):
        room.decide(review, "hold")
    room.vote(review, "cora", "recused")
    with pytest.raises(Denied, match="no quorum"):
        room.decide(review, "kill")


def test_no_go_on_an_interval_that_straddles(room: Chamber):
    room.numbers.held["value.mean_difference"] = STRADDLES
    review = room.open().record_id
    room.votes(review, *COUNCIL[:3])
    with pytest.raises(Denied, match="open are: hold, recycle"):
        room.decide(review, "go")
    assert room.decide(review, "hold").record_id == review


@pytest.mark.parametrize("field", ["basis", "basis_sha256", "tally", "makers", "moved", "supersedes"])
def test_a_decision_whose_record_is_bent_is_refused(room: Chamber, field: str):
    review = room.open().record_id
    room.votes(review, *COUNCIL[:3])
    room.numbers.held["value.mean_difference"] = STRADDLES
    bad = dict(room.deciding(review, "hold").values)
    room.numbers.held["value.mean_difference"] = GOOD
    good = room.deciding(review, "go")
    bent = {"basis": bad["basis"], "basis_sha256": "b" * 64, "tally": "4 approve", "makers": (user("cyrus"),),
            "moved": ("owner",), "supersedes": review}[field]  # fmt: skip
    values = tuple((n, bent if n == field else v) for n, v in good.values)
    with pytest.raises((Invalid, Denied)):
        room.desk.do(replace(good, values=values), "carl")


def test_the_council_sees_first_what_moved_since_it_looked(room: Chamber):
    review = room.open().record_id
    room.votes(review, *COUNCIL[:3])
    found = room.sources
    seen = sight(found, review_row(found.look, review)).basis.sha256
    room.numbers.held["value.mean_difference"] = (3.0, 2.5, 3.5)
    with pytest.raises(Moved) as moved:
        deciding(room.sources, review_row(found.look, review), "go", REASONS, seen)
    assert [c.key for c in moved.value.changes] == [BENEFIT, "no harm: trial"]
    assert room.decide(review).record_id == review
    assert room.row("gate_decisions", review)["moved"] == (BENEFIT, "no harm: trial")


def test_those_who_do_not_vote_do_not_decide(room: Chamber):
    review = room.open().record_id
    room.votes(review, *COUNCIL[:3])
    for name in ("omar", "vera", "adam"):
        with pytest.raises(Denied):
            room.decide(review, "go", name)


def test_a_decided_review_takes_nothing_more(room: Chamber):
    number = room.go()
    for act in (
        lambda: room.vote(number, "cyrus"),
        lambda: room.condition(number),
        lambda: room.decide(number),
    ):
        with pytest.raises(Denied, match="is decided"):
            act()
    with pytest.raises(Denied, match="not withdrawn"):
        room.desk.step("withdraw", receipt_of(room, "gate_reviews", number))


# What becomes of decisions.


def where(room: Chamber, number: str) -> Stands:
    held = look(room.desk.ledger)
    return stands(held, held.held["gate_decisions"][number])


def test_a_decision_is_superseded_and_revoked_by_further_records(room: Chamber):
    first = room.go()
    before = room.row("gate_decisions", first)
    second = room.go()
    assert room.row("gate_reviews", second)["reopens"] == first
    assert room.row("gate_decisions", second)["supersedes"] == first
    assert (where(room, first), where(room, second)) == (Stands.SUPERSEDED, Stands.IN_FORCE)
    with pytest.raises(Denied, match="it is superseded"):
        room.desk.do(revoking(before, "late"), "carl")
    room.desk.do(revoking(room.row("gate_decisions", second), "harm"), "carl")
    assert where(room, second) is Stands.REVOKED
    assert room.row("gate_decisions", first) == before


def test_then_and_now_tell_an_outdated_go(room: Chamber):
    number = room.go()
    same = then.compare(room.sources, room.row("gate_decisions", number))
    assert (same.outdated, same.passes, same.changes) == (False, True, ())
    room.numbers.held["value.mean_difference"] = (4.5, 3.6, 5.4)
    inside = then.compare(room.sources, room.row("gate_decisions", number))
    assert (inside.outdated, len(inside.changes)) == (False, 2)  # it moved, but inside the interval of then
    room.numbers.held["value.mean_difference"] = STRADDLES
    moved = then.compare(room.sources, room.row("gate_decisions", number))
    assert (moved.outdated, moved.passes) == (True, False)
    assert moved.then.findings[0] == same.then.findings[0]


def test_a_changed_definition_outdates_a_go(room: Chamber):
    number = room.go()
    found = then.compare(room.sources, room.row("gate_decisions", number))
    old = tuple(replace(f, definition=f.definition and "version 0") for f in found.then.findings)
    assert [c.why for c in basis.changes(old, found.now)] == ["its definition changed"] * 3


def conditional(room: Chamber, **values: object) -> str:
    review = room.open().record_id
    room.condition(review, **values)
    for name in COUNCIL[:3]:
        room.vote(review, name, "approve with conditions")
    return room.decide(review, "conditional go").record_id


def act(room: Chamber) -> list[str]:
    return [r.register for r in watch.act(room.desk.ledger, room.sources)]


def test_a_condition_that_is_breached_returns_the_decision_once(room: Chamber):
    number = conditional(room)
    assert act(room) == []
    room.numbers.held["value.mean_difference"] = BAD
    assert act(room) == ["conditions", "gate_events"]
    assert act(room) == []
    assert room.row("conditions", "COND-0001").state == "breached"
    assert where(room, number) is Stands.RETURNED
    room.numbers.held["value.mean_difference"] = GOOD
    again = room.go()
    assert (where(room, number), where(room, again)) == (Stands.SUPERSEDED, Stands.IN_FORCE)


def test_a_condition_is_fulfilled_when_its_day_has_come_or_lapses_unmeasured(room: Chamber):
    number = conditional(room)
    room.later(days=40)
    assert act(room) == ["conditions"]
    assert (room.row("conditions", "COND-0001").state, where(room, number)) == ("fulfilled", Stands.IN_FORCE)


@pytest.mark.parametrize(
    ("kind", "state", "over", "verb"),
    [("hold from now", State.NOT_MET, False, "breach"), ("hold from now", State.INCONCLUSIVE, False, ""),
     ("hold from now", State.MET, False, ""), ("hold from now", State.MET, True, "fulfil"),
     ("reach by the day", State.NOT_MET, False, ""), ("reach by the day", State.MET, False, "fulfil"),
     ("reach by the day", State.NOT_MET, True, "breach"), ("reach by the day", State.INCONCLUSIVE, True, "lapse"),
     ("reach by the day", State.NO_DATA, True, "lapse"), ("hold from now", State.STALE, True, "lapse")],
)  # fmt: skip
def test_what_a_state_means_for_a_condition(kind, state, over, verb):
    assert watch.verb_of(kind, state, over=over) == verb


def test_a_condition_without_anything_to_watch_is_refused(room: Chamber):
    review = room.open().record_id
    with pytest.raises(Invalid, match="prose cannot be watched"):
        room.condition(review, metric=None, comparator=None, threshold=None)
    with pytest.raises(Denied):
        room.condition(review, "omar")


def test_a_conditional_go_covers_every_gap(room: Chamber):
    room.numbers.held["value.mean_difference"] = STRADDLES
    review = room.open().record_id
    room.condition(review)
    room.votes(review, *COUNCIL[:3])
    with pytest.raises(Denied, match="inconclusive: benefit"):
        room.decide(review, "conditional go")
    room.condition(review, criterion=BENEFIT, metric=None, comparator=None, threshold=None)
    assert room.decide(review, "conditional go").record_id == review


def fast(room: Chamber, days: int = 14) -> str:
    until = look(room.desk.ledger).at.date() + dt.timedelta(days=days)
    review = room.open(
        gate="pilot", track="expedited", justification="Peak season", ratify_by=until
    ).record_id
    return room.go(review)


def test_an_expedited_go_lapses_unless_it_is_ratified(room: Chamber):
    number = fast(room)
    assert where(room, number) is Stands.PROVISIONAL
    room.later(days=14)
    assert act(room) == []  # the last day is included
    room.later(days=1)
    assert act(room) == ["gate_events"]
    assert where(room, number) is Stands.LAPSED
    assert act(room) == []


def test_an_expedited_go_is_ratified_by_a_standard_one_and_never_renewed(room: Chamber):
    number = fast(room)
    with pytest.raises(Invalid, match="not renewed"):
        fast(room)
    full = room.go(room.open(gate="pilot").record_id)
    assert (where(room, number), where(room, full)) == (Stands.RATIFIED, Stands.IN_FORCE)


def test_the_fast_track_is_narrow(room: Chamber):
    today = look(room.desk.ledger).at.date()
    for more in (
        {"gate": "scale", "ratify_by": today, "justification": "j"}, {"gate": "pilot", "justification": "j"},
        {"gate": "pilot", "ratify_by": today}, {"gate": "pilot", "justification": "j", "ratify_by": FAR},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            room.open(track="expedited", **more)


def test_calibration_is_a_share_with_its_wilson_interval():
    def kept(held: bool) -> then.Kept:
        return then.Kept("GATE-0001", "churn", "scale", FAR, held, "")

    found = then.calibrated((kept(True), kept(True), kept(True), kept(False)), 2)
    assert (found.numerator, found.n, found.value, found.waiting) == (3, 4, 0.75, 2)
    # p = 3/4, z = 1.959964: centre (0.75 + z2/8) / (1 + z2/4) = 0.627542, reach 0.326900 (by hand)
    assert (round(found.low, 4), round(found.high, 4)) == (0.3006, 0.9544)
    none = then.calibrated((), 1)
    assert (none.value, none.reason) == (None, "no Go is 90 days old yet")


def test_outcomes_of_the_template_are_those_of_the_rules():
    assert tuple(Outcome) == ("go", "conditional go", "hold", "recycle", "kill")


# The command line.


def test_the_command_line_says_good_not_held_and_bad_use(tmp_path):
    def run(*words: str):
        return CliRunner().invoke(cli, ["--home", str(tmp_path), *words])

    assert run("gate", "evaluate", "churn", "scale").exit_code == 2
    assert run("migrate").exit_code == 0
    assert isinstance(run("gate", "evaluate", "churn", "scale").exception, GateError)
    from app.govern.open import open_ledger
    from app.settings import Settings

    desk = Desk(open_ledger(Settings(home=tmp_path), lambda: None).store).people()
    desk.initiative()
    done = run("gate", "evaluate", "churn", "hypothesis", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (found["holds"], [c["key"] for c in found["criteria"]]) == (False, ["owner", "hypothesis"])
    desk.add("ownership", **{**homes.OWNERSHIP, "next_review": dt.date(2099, 1, 1)})
    desk.do(change_of(desk))
    assert run("gate", "evaluate", "churn", "hypothesis").exit_code == 0
    assert json.loads(run("gate", "list", "--json").stdout) == []
    assert json.loads(run("gate", "watch", "--json").stdout) == []


def change_of(desk: Desk):
    from app.govern.commands import values_of
    from app.govern.model import Change

    return Change("initiatives", "churn", 1, values_of(baseline_metric="model.auc", minimum_improvement=0.1))


def test_voting_for_a_seat_that_is_not_there_names_nobody(room: Chamber):
    number = room.open().record_id
    review = review_row(look(room.desk.ledger), number)
    assert voting(look(room.desk.ledger), review, who("vera"), "approve").record_id.endswith(user("vera"))


def test_a_past_moment_is_held_against_the_contracts_of_then_and_the_loads_of_then(
    room: Chamber, enterprise: Runtime
):
    room.desk.add(
        "contracts", "anna", record_id="signals-v1", title="Signals", contract_version="1", status="active",
        table_name="signals", owner=user("anna"), document="{}", freshness_hours=48.0,
    )  # fmt: skip
    held = look(room.desk.ledger).live("contracts")
    metric = ALL["activation.in_window_share"]

    def late(moment: dt.datetime) -> tuple[str, ...]:
        return late_at(enterprise.warehouse, held, moment)(metric)

    assert late(conftest.NOW - dt.timedelta(days=10)) == ()
    (why,) = late(conftest.NOW + dt.timedelta(days=10))
    assert "contract Signals (signals-v1) was broken on 11" in why
    assert "promised within 48 hours" in why
    assert (
        late(conftest.NOW - dt.timedelta(days=4000)) == ()
    )  # nothing was loaded by then, so nothing is told
    before = look_at(room.desk.ledger, room.row("contracts", "signals-v1").at - dt.timedelta(seconds=1))
    assert "signals-v1" not in before.held["contracts"]
    assert (
        late_at(enterprise.warehouse, held, conftest.NOW + dt.timedelta(days=10))(ALL["value.srm_p_value"])
        == ()
    )
