"""The one write path: receipts, retries, stale edits, all or none, and errors that say what to do."""

import datetime as dt
import threading

import pytest

from app.govern import rows
from app.govern.commands import execute_all, find, values_of
from app.govern.model import Actor, Add, Change, CommandError, Denied, Invalid, KeyReused, Stale, Step
from data.ledger import AUDIT, TABLES
from tests.ledger import homes
from tests.ledger.homes import INITIATIVE, OWNERSHIP, RISK, ROOT, Desk, user, who


def test_a_receipt_says_what_was_written(desk: Desk):
    receipt = desk.initiative()
    assert (receipt.record_id, receipt.version, receipt.replay) == ("churn", 1, False)
    assert receipt.number == desk.count(AUDIT)
    with desk.ledger.store.read() as db:
        row = rows.current(db, "initiatives", "churn")
        assert row is not None
        assert (row.seq, row.at, row.by, row.state) == (receipt.number, receipt.at, who("omar"), "active")
        assert row["title"] == INITIATIVE["title"]


def test_the_same_key_gives_the_same_receipt_and_one_row(desk: Desk):
    command = Add("initiatives", values_of(**INITIATIVE), "churn")
    first = desk.do(command, key="k")
    again = desk.do(command, key="k")
    assert (again.number, again.hash, again.replay) == (first.number, first.hash, True)
    assert desk.count(TABLES["initiatives"]) == 1
    assert find(desk.ledger, "k") == again
    assert find(desk.ledger, "never seen") is None


def test_a_key_stands_for_one_command_of_one_person(desk: Desk):
    desk.do(Add("initiatives", values_of(**INITIATIVE), "churn"), key="k")
    with pytest.raises(KeyReused, match="reload the form"):
        desk.do(Add("initiatives", values_of(**INITIATIVE), "other"), key="k")
    with pytest.raises(KeyReused):
        desk.do(Add("initiatives", values_of(**INITIATIVE), "churn"), "carl", key="k")


def test_one_key_from_eight_threads_writes_once(desk: Desk):
    receipts, barrier = [], threading.Barrier(8)

    def click() -> None:
        barrier.wait()
        receipts.append(desk.do(Add("initiatives", values_of(**INITIATIVE), "churn"), key="k"))

    threads = [threading.Thread(target=click) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({r.hash for r in receipts}) == 1
    assert sorted(r.replay for r in receipts) == [False] + [True] * 7
    assert desk.count(TABLES["initiatives"]) == 1


def test_of_eight_editors_of_one_version_one_wins(desk: Desk):
    receipt = desk.initiative()
    outcomes, barrier = [], threading.Barrier(8)

    def edit(n: int) -> None:
        barrier.wait()
        try:
            outcomes.append(desk.change(receipt, title=f"Title {n}").version)
        except Stale as stale:
            outcomes.append(f"now version {stale.current.version}")

    threads = [threading.Thread(target=edit, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(map(str, outcomes)) == ["2"] + ["now version 2"] * 7


def test_a_stale_edit_says_who_came_first(lite: Desk):
    receipt = lite.initiative()
    lite.change(receipt, "carl", title="Carl's title")
    with pytest.raises(Stale, match=r"changed by demo\|carl at 2026-11-01 .* look at it again"):
        lite.change(receipt, title="Omar's title")


def test_a_change_keeps_the_other_fields_and_the_old_version(desk: Desk):
    receipt = desk.initiative()
    desk.change(receipt, title="New", model_ids=("m1", "m2"))
    with desk.ledger.store.read() as db:
        first, second = rows.history(db, "initiatives", "churn")
    assert (first["title"], second["title"]) == (INITIATIVE["title"], "New")
    assert second["hypothesis"] == INITIATIVE["hypothesis"]
    assert second["model_ids"] == ("m1", "m2")


def test_numbered_records_count_up_and_take_no_name(lite: Desk):
    lite.initiative()
    assert [lite.add("risks", **RISK).record_id for _ in range(2)] == ["RISK-0001", "RISK-0002"]
    with pytest.raises(Invalid, match="leave the identifier empty"):
        lite.add("risks", record_id="mine", **RISK)


def test_all_or_none_of_several_commands(lite: Desk):
    lite.initiative()
    before = lite.count(AUDIT)
    good = Add("risks", values_of(**RISK))
    bad = Add("risks", values_of(**{**RISK, "treatment": "hope"}))
    with pytest.raises(Invalid, match="Write one of: open, mitigate"):
        execute_all(lite.ledger, (good, bad), who("omar"), "k")
    assert lite.count(AUDIT) == before
    receipts = execute_all(lite.ledger, (good, good), who("omar"), "k")
    assert [r.record_id for r in receipts] == ["RISK-0001", "RISK-0002"]
    assert [r.replay for r in execute_all(lite.ledger, (good, good), who("omar"), "k")] == [True, True]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"title": ""}, "title: Fill in risk; it is required"),
        ({"inherent_impact": 6}, "Write a number from 1 to 5"),
        ({"inherent_impact": 2.5}, "Write a whole number"),
        ({"inherent_impact": True}, "Write a whole number"),
        ({"indicator_threshold": float("nan")}, "finite number"),
        ({"indicator_threshold": "1e400"}, "finite number"),
        ({"title": "a\x00b"}, "NUL"),
        ({"title": "a\nb"}, "in one line"),
        ({"title": "\ud800"}, "broken character"),
        ({"title": "x" * 301}, "Shorten it to 300 characters; it has 301"),
        ({"next_review": "soon"}, "YYYY-MM-DD"),
        ({"next_review": dt.datetime(2026, 1, 1)}, "YYYY-MM-DD"),
        ({"initiative": "nowhere"}, "is no initiative in use"),
        ({"owner": "demo|nobody"}, "is no user in use"),
        ({"indicator_metric": "no.such"}, "no metric of the catalogue"),
        ({"indicator_threshold": 1.0}, "together, or none"),
        ({"residual_likelihood": None}, "fill in both or neither"),
        ({"colour": "red"}, "has no field 'colour'"),
    ],
)
def test_bad_values_are_named_with_what_to_do(values: dict, message: str, lite: Desk):
    lite.initiative()
    before = lite.count(AUDIT)
    with pytest.raises(Invalid, match=message) as caught:
        lite.add("risks", **{**RISK, **values})
    assert caught.value.faults[0][0] in {*RISK, *values, "indicator_metric"}
    assert lite.count(AUDIT) == before


def test_every_fault_of_a_form_is_named_at_once(lite: Desk):
    lite.initiative()
    with pytest.raises(Invalid) as caught:
        lite.add("risks", **{**RISK, "inherent_impact": 9, "category": "luck", "next_review": "x"})
    assert {name for name, _ in caught.value.faults} == {"inherent_impact", "category", "next_review"}


def test_a_record_cannot_be_added_twice(lite: Desk):
    lite.initiative()
    with pytest.raises(Invalid, match="there already"):
        lite.initiative()


def test_there_is_one_ownership_record_an_initiative(lite: Desk):
    lite.initiative()
    assert lite.add("ownership", **OWNERSHIP).record_id == "churn"
    with pytest.raises(Invalid, match="there already"):
        lite.add("ownership", "carl", **OWNERSHIP)


def test_a_request_is_accepted_by_somebody_else_and_only_once(desk: Desk):
    desk.initiative()
    desk.add("risks", **RISK)
    receipt = desk.add("acceptances", risk="RISK-0001", justification="Small", expires=dt.date(2027, 1, 1))
    with pytest.raises(Denied, match="it is draft; that is possible only while it is submitted"):
        desk.step("accept", receipt, "carl")
    receipt = desk.step("submit", receipt)
    with pytest.raises(Denied, match="council may accept"):
        desk.step("accept", receipt)
    with pytest.raises(Denied, match="only while it is draft"):
        desk.change(receipt, justification="Tiny")
    accepted = desk.step("accept", receipt, "carl")
    with pytest.raises(Stale):
        desk.step("accept", receipt, "cleo")
    with pytest.raises(Denied, match="it is accepted"):
        desk.step("accept", accepted, "cleo")
    desk.step("lapse", accepted, Actor("system", "throughline"))


def test_nothing_is_borne_without_an_end(lite: Desk):
    lite.initiative()
    lite.add("risks", **RISK)
    receipt = lite.add("acceptances", risk="RISK-0001", justification="Small")
    with pytest.raises(Invalid, match="nothing is borne for ever"):
        lite.step("submit", receipt)


def test_a_denial_is_audited_and_takes_no_key(desk: Desk):
    before = desk.count(AUDIT)
    with pytest.raises(Denied, match="viewer"):
        desk.do(Add("initiatives", values_of(**INITIATIVE), "churn"), "vera", key="k")
    denied = (AUDIT.c.outcome == "denied", AUDIT.c.subject == "vera", AUDIT.c.verb == "add")
    assert desk.count(AUDIT, *denied) == 1
    assert desk.count(AUDIT) == before + 1
    desk.do(Add("initiatives", values_of(**INITIATIVE), "churn"), key="k")


@pytest.mark.parametrize(
    "actor",
    [Actor("demo", "nobody"), Actor("https://evil.example", "omar"), Actor("", ""), Actor("demo", "omar ")],
)
def test_the_unknown_may_nothing(actor: Actor, lite: Desk):
    with pytest.raises(Denied, match="no role"):
        lite.do(Add("initiatives", values_of(**INITIATIVE), "churn"), actor)


def test_a_right_taken_away_is_gone_at_the_next_call(desk: Desk):
    receipt = desk.initiative()
    with desk.ledger.store.read() as db:
        omar = rows.current(db, "users", user("omar"))
    assert omar is not None
    desk.do(Change("users", omar.record_id, 1, values_of(roles=("viewer",))), "adam")
    with pytest.raises(Denied):
        desk.change(receipt, title="Mine still")
    desk.do(Step("retire", "users", omar.record_id, 2), "adam")
    with pytest.raises(Denied, match="no role"):
        desk.change(receipt, title="Mine still")


def test_the_last_admin_stays(desk: Desk):
    desk.do(Step("retire", "users", user("ada"), 1), "adam")
    for command in (
        Step("retire", "users", user("adam"), 1),
        Change("users", user("adam"), 1, values_of(roles=("viewer",))),
        Change("users", user("adam"), 1, values_of(roles=())),
    ):
        with pytest.raises(Invalid, match="last administrator"):
            desk.do(command, ROOT)
        with pytest.raises(Denied, match="your own record"):
            desk.do(command, "adam")


def test_an_admin_holds_no_deciding_role(lite: Desk):
    with pytest.raises(Invalid, match="decides nothing"):
        lite.add("users", "adam", issuer="demo", subject="both", name="Both", roles=("admin", "council"))


@pytest.mark.parametrize("issuer", ["operator", "system", "http://plain.example", "demo|x", ""])
def test_nobody_can_be_added_who_would_be_the_app_itself(issuer: str, lite: Desk):
    with pytest.raises(Invalid):
        lite.add("users", "adam", issuer=issuer, subject="root", name="Root", roles=("viewer",))


def test_a_clock_that_goes_back_is_written_down(desk: Desk):
    desk.initiative()
    desk.ledger.clock.now = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    receipt = desk.add("risks", **RISK)
    with desk.ledger.store.read() as db:
        body = db.execute(AUDIT.select().where(AUDIT.c.seq == receipt.number)).mappings().one()["body"]
    assert '"clock":"went back from 2026-11-01' in body


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_a_command_needs_a_key(key: str, lite: Desk):
    with pytest.raises(CommandError, match="idempotency key"):
        homes.execute(lite.ledger, Add("initiatives", values_of(**INITIATIVE), "churn"), who("omar"), key)


def test_an_unknown_register_is_named(lite: Desk):
    with pytest.raises(CommandError, match="there is no register 'votes'"):
        lite.add("votes", title="x")


def test_nobody_becomes_an_owner_by_saying_so(lite: Desk):
    lite.initiative()
    receipt = lite.add("risks", "carl", **{**RISK, "owner": user("carl"), "initiative": "churn"})
    lite.add("initiatives", "carl", record_id="other", **{**INITIATIVE, "sponsor": user("carl")})
    receipt = lite.add("risks", "carl", **{**RISK, "initiative": "other", "owner": user("carl")})
    with pytest.raises(Denied, match="you own"):
        lite.change(receipt, "olga", owner=user("olga"))
    with pytest.raises(Denied, match="you own"):
        lite.add("controls", "olga", risk=receipt.record_id, title="C", type="detective", owner=user("olga"),
                 effectiveness="effective", next_review=dt.date(2027, 1, 1))  # fmt: skip


def test_a_record_stays_correctable_after_its_owner_has_left(lite: Desk):
    receipt = lite.initiative()
    lite.do(Step("retire", "users", user("omar"), 1), "adam")
    assert lite.change(receipt, "carl", title="Still correctable").version == 2
