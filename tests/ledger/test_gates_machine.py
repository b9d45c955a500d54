"""A council driven at random: every act is predicted by a small model in plain sets and numbers, and the ledger must agree.

The model is written from the rules, not from the code. Acts: open, withdraw, vote, delegate, propose, decide, revoke,
numbers that move, roles taken and given back, clock jumps, nights that let conditions and expedited decisions lapse,
crashes in the middle of a write, and retries with the same key.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.govern import commands
from app.govern.commands import execute
from app.govern.gates import decided, watch
from app.govern.gates.look import look
from app.govern.gates.review import delegating, review_row, revoking, voting
from app.govern.model import CommandError, Step
from app.govern.verify import verify
from data.ledger import AUDIT
from data.ledger_store import Store
from tests.cases import SOAK
from tests.ledger import homes
from tests.ledger.councils import BAD, COUNCIL, GOOD, STRADDLES, Chamber, chamber, good_numbers
from tests.ledger.homes import Desk, user, who

STEPS, EXAMPLES, LEAST = (
    (50, 115, 5_000) if SOAK else (16, 4, 16)
)  # LEAST steps of a lane: hypothesis ends runs early
LANES = range(4) if SOAK else range(1)  # of the soak, for as many processes as there are cores
PEOPLE = (*COUNCIL, "omar", "olga", "vera")
VOTES = ("approve", "approve with conditions", "reject", "abstain", "recused")
GATES = st.sampled_from(("scale", "pilot"))
NUMBERS = {"good": GOOD, "straddles": STRADDLES, "bad": BAD}
SEEN: set[str] = set()  # every state that any run reached


class Crash(BaseException):
    """Power off in the middle of a write."""


@dataclass
class Case:
    """A review as the model knows it. `stands`: of its decision, empty while there is none."""

    gate: str
    fast: bool
    until: dt.date | None
    members: frozenset[str]
    quorum: int
    before: str
    phase: str = "open"
    votes: dict[str, tuple[str, str]] = field(default_factory=dict)  # seat -> (by, vote)
    delegates: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, list[object]] = field(default_factory=dict)  # id -> [state, due]
    outcome: str = ""
    stands: str = ""


def ceil_two_thirds(n: int) -> int:
    return -(-2 * n // 3)


class Council(RuleBasedStateMachine):
    """Tier 1: two thirds must vote (at least three), two thirds must approve; expedited: more than half, at least two."""

    template: Path  # a ledger with everything in place
    taken = 0  # steps of all runs

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp"))
        desk = self.desk_on(Path(self.folder.name))
        self.room = Chamber(desk, good_numbers(desk))
        self.cases: dict[str, Case] = {}
        self.roles = set(COUNCIL)
        self.number = "good"
        self.tick = 0

    def desk_on(self, folder: Path) -> Desk:
        return homes.copy_of(self.template, folder / "ledger.sqlite")

    def teardown(self) -> None:
        assert verify(self.room.desk.ledger.store, deep=True).state == "intact"
        self.room.desk.ledger.store.close()
        self.folder.cleanup()

    # What happens.

    @property
    def today(self) -> dt.date:
        return self.room.desk.ledger.clock.now.date()  # type: ignore[attr-defined]

    def expect(self, allowed: bool, act) -> object:
        before = self.room.desk.count(AUDIT, AUDIT.c.outcome == "done")
        done, why = None, ""
        try:
            done = act()
        except CommandError as refused:
            why = str(refused)
        assert (done is not None) is allowed, why or "done though not allowed"
        assert self.room.desk.count(AUDIT, AUDIT.c.outcome == "done") == before + (done is not None)
        return done

    def open_of(self, gate: str) -> list[str]:
        return [n for n, c in self.cases.items() if c.gate == gate and c.phase == "open"]

    def newest(self, data: st.DataObject) -> str | None:
        """Mostly an open review, sometimes any."""
        opened = [n for n, c in self.cases.items() if c.phase == "open"]
        pool = opened if opened and data.draw(st.integers(0, 5)) else list(self.cases)
        return data.draw(st.sampled_from(pool)) if pool else None

    def standing(self, gate: str) -> str:
        for number in sorted(self.cases, reverse=True):
            if self.cases[number].gate == gate and self.cases[number].stands in (
                "in force", "provisional", "returned", "lapsed",
            ):  # fmt: skip
                return number
        return ""

    @rule(name=st.sampled_from(("omar", "omar", "omar", "carl", "olga")), fast=st.booleans(), gate=GATES)
    def open(self, name: str, fast: bool, gate: str) -> None:
        self._open(name, fast, gate)

    def _open(self, name: str, fast: bool, gate: str) -> None:
        members = frozenset(self.roles)
        quorum = max(len(members) // 2 + 1, 2) if fast else max(ceil_two_thirds(len(members)), 3)
        able = (
            name == "omar"
            and not self.open_of(gate)
            and len(members) >= quorum
            and (gate == "pilot" or not fast)
        )
        before = self.cases.get(self.standing(gate))
        able = able and not (fast and before is not None and before.fast and "go" in before.outcome)
        until = self.today + dt.timedelta(days=14) if fast else None
        more = {"track": "expedited", "justification": "j", "ratify_by": until} if fast else {}
        done = self.expect(able, lambda: self.room.open(name, gate, **more))
        if done is not None:
            self.cases[done.record_id] = Case(gate, fast, until, members, quorum, self.standing(gate))  # type: ignore[attr-defined]

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        number = self.newest(data)
        if number and not data.draw(st.integers(0, 3)):
            step = Step("withdraw", "gate_reviews", number, self.room.row("gate_reviews", number).version)
            if self.expect(self.cases[number].phase == "open", lambda: self.room.desk.do(step)) is not None:
                self.cases[number].phase = "withdrawn"

    def seat(self, case: Case, name: str) -> str:
        if name in case.members and name not in case.delegates:
            return name
        return next((s for s, d in case.delegates.items() if d == name), "")

    def _vote(self, number: str, name: str, vote: str) -> None:
        case = self.cases[number]
        seat = self.seat(case, name)
        able = (
            case.phase == "open" and seat != "" and seat in self.roles and seat not in case.votes and name != "omar"
            and (name in self.roles or name == "olga") and name not in {by for by, _ in case.votes.values()}
        )  # fmt: skip
        if self.expect(able, lambda: self.room.vote(number, name, vote)) is not None:
            case.votes[seat] = (name, vote)

    @rule(data=st.data(), name=st.sampled_from(PEOPLE), vote=st.sampled_from(VOTES))
    def vote(self, data: st.DataObject, name: str, vote: str) -> None:
        number = self.newest(data)
        if number:
            self._vote(number, name, vote)

    @rule(data=st.data(), vote=st.sampled_from(VOTES[:2]))
    def meeting(self, data: st.DataObject, vote: str) -> None:
        """Everybody votes the same."""
        number = self.newest(data)
        for name in COUNCIL if number else ():
            self._vote(str(number), name, vote)

    @rule(data=st.data(), name=st.sampled_from(COUNCIL), other=st.sampled_from(("olga", "omar", "cleo")))
    def delegate(self, data: st.DataObject, name: str, other: str) -> None:
        number = self.newest(data)
        if not number:
            return
        case = self.cases[number]
        able = (
            case.phase == "open" and name in self.roles and name in case.members and name not in case.votes
            and name not in case.delegates and other not in case.delegates.values() and other != "omar"
            and other not in case.members
        )  # fmt: skip
        row = review_row(look(self.room.desk.ledger), number)
        if self.expect(able, lambda: self.room.desk.do(delegating(row, user(other)), name)) is not None:
            case.delegates[name] = other

    @rule(data=st.data(), name=st.sampled_from(PEOPLE), days=st.integers(1, 20))
    def propose(self, data: st.DataObject, name: str, days: int) -> None:
        number = self.newest(data)
        if number:
            self._propose(number, name, days)

    def _propose(self, number: str, name: str, days: int) -> None:
        case, due = self.cases[number], self.today + dt.timedelta(days=days)
        able = case.phase == "open" and self.seat(case, name) != "" and (name in self.roles or name == "olga")
        done = self.expect(able, lambda: self.room.condition(number, name, due=due))
        if done is not None:
            case.conditions[done.record_id] = ["proposed", due]  # type: ignore[attr-defined]

    def outcomes(self, case: Case) -> tuple[str, ...]:
        """What votes, numbers and conditions leave open, from the rules."""
        said = [v for _, v in case.votes.values()]
        a, c, r, b = (said.count(v) for v in ("approve", "approve with conditions", "reject", "abstain"))
        if a + c + r + b < case.quorum:
            return ()
        most = a + c + r
        if most == 0 or 3 * (a + c) < 2 * most:
            return ("hold", "recycle", "kill")
        # The gate of scale asks for the effect itself, that of the pilot only that no harm is proven.
        holds = self.number == "good" or (case.gate == "pilot" and self.number != "bad")
        gaps = case.gate == "scale" and self.number != "good"
        found = ["go"] if holds and 3 * a >= 2 * most else []
        found += ["conditional go"] if case.conditions and not gaps and self.number != "bad" else []
        return tuple(found) or ("hold", "recycle", *(("kill",) if self.number == "bad" else ()))

    def _decide(self, number: str, name: str, outcome: str) -> None:
        case = self.cases[number]
        voter = self.seat(case, name) != "" and name in self.roles
        able = case.phase == "open" and voter and outcome in self.outcomes(case)
        if self.expect(able, lambda: self.room.decide(number, outcome, name)) is None:
            return
        case.phase, case.outcome = "decided", outcome
        go = outcome in ("go", "conditional go")
        old = self.standing(case.gate)
        if old:
            was = self.cases[old]
            ratified = not case.fast and was.fast and was.stands in ("provisional", "returned")
            was.stands = "ratified" if ratified and go else "superseded"
        case.stands = "provisional" if case.fast and go else "in force"

    @rule(
        data=st.data(),
        name=st.sampled_from(PEOPLE),
        outcome=st.sampled_from(("go", "conditional go", "hold", "kill")),
    )
    def decide(self, data: st.DataObject, name: str, outcome: str) -> None:
        number = self.newest(data)
        if number:
            self._decide(number, name, outcome)

    @rule(
        fast=st.booleans(),
        gate=GATES,
        vote=st.sampled_from(VOTES[:2]),
        days=st.integers(0, 20),
    )
    def hearing(self, fast: bool, gate: str, vote: str, days: int) -> None:
        self._hear(fast, gate, vote, days)

    def _hear(self, fast: bool, gate: str, vote: str, days: int) -> None:
        """A whole review in one go: opened, a condition where days are given, everybody votes, the chair concludes."""
        self._open("omar", fast, gate)
        for number in self.open_of(gate):
            for name in COUNCIL if days else ():
                self._propose(number, name, days)
                break
            for name in COUNCIL:
                self._vote(number, name, vote)
            if self.outcomes(self.cases[number]):
                self._decide(number, "cyrus", self.outcomes(self.cases[number])[-1])

    @rule(data=st.data())
    def conclude(self, data: st.DataObject) -> None:
        """The chair records what is open."""
        number = self.newest(data)
        if number and self.outcomes(self.cases[number]):
            self._decide(number, data.draw(st.sampled_from(COUNCIL)), self.outcomes(self.cases[number])[-1])

    @rule(data=st.data(), name=st.sampled_from(("carl", "vera", "omar")))
    def revoke(self, data: st.DataObject, name: str) -> None:
        taken = [n for n, c in self.cases.items() if c.phase == "decided"]
        if not taken or data.draw(st.integers(0, 2)):
            return
        number = data.draw(st.sampled_from(taken))
        case = self.cases[number]
        able = name in self.roles and case.stands in ("in force", "provisional", "returned")
        row = self.room.row("gate_decisions", number)
        if self.expect(able, lambda: self.room.desk.do(revoking(row, "harm"), name)) is not None:
            case.stands = "revoked"

    @rule(number=st.sampled_from(tuple(NUMBERS)))
    def numbers_move(self, number: str) -> None:
        self._set(number)

    def _set(self, number: str) -> None:
        self.number = number
        self.room.numbers.held["value.mean_difference"] = NUMBERS[number]

    @rule(name=st.sampled_from(COUNCIL))
    def role_taken_or_given_back(self, name: str) -> None:
        from app.govern.commands import values_of
        from app.govern.model import Change

        has = name in self.roles
        row = self.room.row("users", user(name))
        roles = ("viewer",) if has else ("council",)
        self.room.desk.do(Change("users", row.record_id, row.version, values_of(roles=roles)), "ada")
        (self.roles.discard if has else self.roles.add)(name)

    @rule(days=st.integers(1, 16))
    def days_pass(self, days: int) -> None:
        self.room.later(days=days)

    @rule(minutes=st.integers(1, 30))
    def the_clock_goes_back(self, minutes: int) -> None:
        clock = self.room.desk.ledger.clock
        back = clock.now - dt.timedelta(minutes=minutes)  # type: ignore[attr-defined]
        if back.date() == self.today:
            clock.now = back  # type: ignore[attr-defined]

    @rule()
    def night(self) -> None:
        self._night()

    def _night(self) -> None:
        watch.act(self.room.desk.ledger, self.room.sources)
        for case in self.cases.values():
            if case.outcome == "conditional go" and case.stands in ("in force", "provisional", "returned"):
                for held in case.conditions.values():
                    self._judge(case, held)
        for case in self.cases.values():
            if case.stands == "provisional" and case.until and case.until < self.today:
                case.stands = "lapsed"

    def _judge(self, case: Case, held: list[object]) -> None:
        if held[0] != "proposed":
            return
        over = held[1] < self.today  # type: ignore[operator]
        # The condition asks for at least 2: good is 4 to 6, bad is below 0, the other one straddles.
        verb = {"good": "fulfilled" if over else "", "bad": "breached"}.get(
            self.number, "lapsed" if over else ""
        )
        if verb:
            held[0] = verb
        if verb in ("breached", "lapsed") and case.stands in ("in force", "provisional"):
            case.stands = "returned"

    @rule(data=st.data(), name=st.sampled_from(COUNCIL))
    def crash(self, data: st.DataObject, name: str) -> None:
        """The process dies between the audit entry and the commit: nothing of the vote is there."""
        number = self.newest(data)
        if not number:
            return

        def die(*args: object, **kwargs: object) -> None:
            write(*args, **kwargs)  # type: ignore[arg-type]
            raise Crash

        write = commands._write
        before = self.room.desk.count(AUDIT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(commands, "_write", die)
            try:
                self.room.vote(number, name)
            except Crash:
                assert self.room.desk.count(AUDIT) == before
            except CommandError:
                return

    @rule(data=st.data(), name=st.sampled_from(COUNCIL))
    def double_click(self, data: st.DataObject, name: str) -> None:
        """The same vote sent twice is one vote with one receipt."""
        number = self.newest(data)
        if not number:
            return
        case, seat = self.cases[number], self.seat(self.cases[number], name)
        ledger = self.room.desk.ledger
        held = look(ledger)
        command = voting(held, review_row(held, number), who(name), "approve")
        self.tick += 1
        key = f"twice-{self.tick}"
        try:
            first = execute(ledger, command, who(name), key)
        except CommandError:
            return
        again = execute(ledger, command, who(name), key)
        assert (again.hash, again.replay) == (first.hash, True)
        assert case.phase == "open"
        assert seat not in case.votes
        case.votes[seat] = (name, "approve")

    # What must hold.

    @invariant()
    def the_ledger_is_the_model(self) -> None:
        type(self).taken += 1
        held = look(self.room.desk.ledger)
        assert {r.record_id for r in held.rows("gate_reviews")} == set(self.cases)
        for number, case in self.cases.items():
            review = held.held["gate_reviews"][number]
            assert decided.phase(held, review).value == case.phase
            cast = {
                v.text("seat"): (v.by.identity, v.text("vote")) for v in decided.ballot(held, review).cast
            }
            assert cast == {user(s): (user(by), vote) for s, (by, vote) in case.votes.items()}
            assert user("omar") not in {by for by, _ in cast.values()}
            states = {c.record_id: c.state for c in held.rows("conditions") if c["review"] == number}
            assert states == {n: s for n, (s, _) in case.conditions.items()}
            decision = held.find("gate_decisions", number)
            assert (decision is not None) is (case.phase == "decided")
            if decision is not None:
                assert (decided.stands(held, decision).value, decision["outcome"]) == (
                    case.stands,
                    case.outcome,
                )
                assert decided.ballot(held, review).counted.present >= case.quorum
            SEEN.update((case.phase, case.stands, *(str(s) for s, _ in case.conditions.values())))


def test_every_state_is_reached_and_left(template: Path, tmp_path: Path):
    chamber(homes.copy_of(template, tmp_path / "ready.sqlite"))
    Council.template = tmp_path / "ready.sqlite"
    SEEN.clear()
    council = Council()

    def then(step: Callable[..., None], *args: object) -> None:
        step(*args)
        council.the_ledger_is_the_model()

    then(council._hear, True, "pilot", "approve", 0)  # provisional
    then(council._hear, False, "pilot", "approve", 0)  # ratifies it
    then(
        council._hear, True, "pilot", "approve with conditions", 5
    )  # an expedited one again, with a condition
    then(council._set, "bad")
    then(council._night)  # breached: returned
    then(council._set, "good")
    then(council._hear, False, "pilot", "approve with conditions", 3)  # ratifies it, with a condition
    council.room.later(days=4)
    then(council._night)  # fulfilled
    then(council._hear, True, "pilot", "approve", 0)  # superseded
    council.room.later(days=15)
    then(council._night)  # lapsed
    then(council._hear, False, "pilot", "approve", 0)
    then(council._hear, False, "scale", "approve with conditions", 2)
    then(council._set, "straddles")
    council.room.later(days=3)
    then(council._night)  # a condition lapses
    number = council.standing("scale")
    assert council.cases[number].stands == "returned"
    council.room.desk.do(revoking(council.room.row("gate_decisions", number), "harm"), "carl")
    council.cases[number].stands = "revoked"
    then(council._open, "omar", False, "scale")
    number = council.open_of("scale")[0]
    council.room.desk.do(Step("withdraw", "gate_reviews", number, 1))
    council.cases[number].phase = "withdrawn"
    council.the_ledger_is_the_model()
    every = {"open", "decided", "withdrawn", *decided.Stands, "proposed", "fulfilled", "breached", "lapsed"}
    assert every <= SEEN, every - SEEN
    council.teardown()


class CouncilOnPostgres(Council):
    """The same on a PostgreSQL server, in databases made from a template."""

    server: sa.Engine

    def desk_on(self, folder: Path) -> Desk:
        with self.server.connect() as db:
            db.exec_driver_sql("DROP DATABASE IF EXISTS machine WITH (FORCE)")
            db.exec_driver_sql("CREATE DATABASE machine TEMPLATE machine_start STRATEGY FILE_COPY")
        return homes.later(Desk(Store(database(self.server, "machine"))))


def database(server: sa.Engine, name: str) -> str:
    return server.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def server(pg: str) -> Iterator[sa.Engine]:
    """A server with a council in place in the database `machine_start`."""
    server = sa.create_engine(pg, isolation_level="AUTOCOMMIT")
    with server.connect() as db:
        db.exec_driver_sql("CREATE DATABASE machine_start")
    desk = homes.fresh_on(database(server, "machine_start")).people()
    chamber(desk)
    desk.ledger.store.close()
    yield server
    with server.connect() as db:
        for name in ("machine", "machine_start"):
            db.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.dispose()


def drive(machine: type[Council], examples: int) -> None:
    machine.taken = 0
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None, derandomize=not SOAK, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    assert machine.taken >= LEAST


@pytest.mark.parametrize("lane", LANES)
def test_whatever_happens_the_ledger_is_the_model(lane: int, template: Path, tmp_path: Path):
    chamber(homes.copy_of(template, tmp_path / "ready.sqlite"))
    Council.template = tmp_path / "ready.sqlite"
    SEEN.clear()
    drive(Council, EXAMPLES)


@pytest.mark.parametrize("lane", LANES)
def test_the_same_on_postgresql(lane: int, server: sa.Engine):
    CouncilOnPostgres.server = server
    drive(CouncilOnPostgres, EXAMPLES if SOAK else 1)
