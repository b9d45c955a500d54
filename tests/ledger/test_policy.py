"""The policy, row by row, against a table written by hand the other way round: by role, what each may do."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import pytest

from app.govern import access, commands, rows
from app.govern.access import Relation, policy, why_not
from app.govern.model import Actor, Add, Change, Command, Denied, Step
from data.ledger import AUDIT
from data.registers import REGISTERS
from tests.ledger import homes
from tests.ledger.homes import INITIATIVE, ROOT, Desk, user, who

ALL_FOUR = "add change retire restore"
# role -> lines of "verbs | registers | on which records" (any, own, not own, no part in)
MAY = {
    "viewer": [
        ("add", "comments", "any"),
        ("add", "saved_views", "any"),
        ("change retire restore", "saved_views", "own"),
    ],
    "analyst": [
        ("add", "comments interventions", "any"),
        ("add", "saved_views", "any"),
        ("change retire restore", "saved_views", "own"),
        ("withdraw", "interventions", "own"),
        ("add", "evidence risks contracts check_ins", "any"),
        ("change retire restore", "contracts", "any"),
        ("change retire restore", "evidence", "own"),
        ("change", "risks", "own"),
        ("add", "baselines studies study_results", "any"),
        ("submit withdraw", "baselines", "own"),
        ("retire", "studies", "own"),
        ("add", "conclusions", "any"),
        ("change retire restore", "conclusions", "own"),
        ("add", "gate_votes conditions", "no part in"),
        ("withdraw", "conditions", "own"),
        ("add", "attendances", "any"),
        ("leave return", "attendances", "own"),
    ],
    "owner": [
        ("add", "comments interventions", "any"),
        ("add", "saved_views", "any"),
        ("change retire restore", "saved_views", "own"),
        ("withdraw", "interventions", "own"),
        ("add", "initiatives evidence risks contracts targets", "any"),
        ("change", "initiatives ownership decision_rights decisions postures evidence risks controls acceptances"
         " exceptions contracts operability targets", "own"),
        ("add", "ownership decision_rights decisions postures controls acceptances exceptions operability check_ins", "own"),
        ("retire restore", "decision_rights decisions evidence controls contracts operability targets", "own"),
        ("submit withdraw", "acceptances exceptions baselines", "own"),
        ("add", "baselines studies study_results", "any"),
        ("approve reject", "baselines", "no part in"),
        ("reinstate", "baselines", "not own"),
        ("revoke", "baselines", "any"),
        ("retire", "studies", "own"),
        ("add change", "milestones conclusions", "own"),
        ("retire restore", "conclusions", "own"),
        ("add withdraw", "gate_reviews", "own"),
        ("add", "gate_votes conditions", "no part in"),
        ("withdraw", "conditions", "own"),
        ("add", "attendances", "any"),
        ("leave return", "attendances", "own"),
    ],
    "council": [
        ("add", "comments interventions", "any"),
        ("add", "saved_views", "any"),
        ("change retire restore", "saved_views", "own"),
        ("withdraw", "interventions", "own"),
        (ALL_FOUR, "initiatives ownership decision_rights decisions postures appetites risks targets milestones", "any"),
        ("add", "check_ins", "any"),
        ("revoke", "acceptances exceptions", "any"),
        ("accept reject", "acceptances exceptions", "no part in"),
        ("approve reject", "baselines", "no part in"),
        ("reinstate", "baselines", "not own"),
        ("revoke", "baselines", "any"),
        ("retire", "studies", "any"),
        ("add", "gate_delegations gate_votes conditions gate_decisions", "no part in"),
        ("revoke", "gate_delegations", "own"),
        ("withdraw", "conditions", "own"),
        ("add", "gate_revocations", "any"),
        ("add", "meetings attendances minutes", "any"),
        ("leave return", "attendances", "own"),
    ],
    "admin": [
        ("add", "users", "any"),
        ("change retire restore", "users", "not own"),
        ("add", "saved_views", "any"),
        ("change retire restore", "saved_views", "own"),
    ],
    "operator": [
        ("add", "publications", "any"),
        (ALL_FOUR, "users", "any"),
        ("add", "baselines studies study_results", "any"),
        ("submit withdraw", "baselines", "any"),
        ("add claim send fail close", "alerts", "any"),
    ],
    "system": [
        ("add", "publications", "any"),
        ("lapse", "acceptances exceptions conditions", "any"),
        ("fulfil breach", "conditions", "any"),
        ("add", "gate_events", "any"),
        ("add claim send fail close", "alerts", "any"),
    ],
}  # fmt: skip
ROLES = tuple(MAY)
COMMANDS = [(r.name, verb) for r in REGISTERS.values() for verb in r.verbs]
RELATIONS = [Relation(owns=o, wrote=w) for o in (False, True) for w in (False, True)]


def expected(role: str, register: str, verb: str, relation: Relation) -> bool:
    holds = {
        "any": True, "own": relation.owns, "not own": not relation.owns,
        "no part in": not relation.owns and not relation.wrote,
    }  # fmt: skip
    return any(holds[which] for vs, rs, which in MAY[role] if verb in vs.split() and register in rs.split())


def test_every_command_of_every_register_has_its_line():
    assert set(policy()) == set(COMMANDS)
    assert all(tuple(row) == ROLES for row in policy().values())


@pytest.mark.parametrize(("register", "verb"), COMMANDS)
def test_the_table_says_what_was_written_by_hand(register: str, verb: str):
    for role, relation in itertools.product(ROLES, RELATIONS):
        allowed = why_not(register, verb, (role,), relation) is None
        assert allowed is expected(role, register, verb, relation), (role, relation)


@pytest.mark.parametrize("roles", [(), ("root",), ("Admin",), ("owner ",)])
def test_no_role_and_unknown_roles_may_nothing(roles: tuple[str, ...]):
    assert all(why_not(r, v, roles, relation) for r, v in COMMANDS for relation in RELATIONS)


@pytest.mark.parametrize("pair", [("votes", "add"), ("users", "explode"), ("acceptances", "restore")])
def test_what_is_not_in_the_table_is_refused(pair: tuple[str, str]):
    assert all(why_not(*pair, ROLES, relation) for relation in RELATIONS)


@pytest.mark.parametrize(
    "line", ["users explode - - - - - - -", "users add yes", "users add maybe - - - - - -"]
)
def test_a_line_that_is_not_sound_is_refused(line: str, monkeypatch: pytest.MonkeyPatch):
    head = access.POLICY.strip().splitlines()[0]
    monkeypatch.setattr(access, "POLICY", f"{head}\n{line}")
    with pytest.raises(ValueError, match="not sound"):
        access.policy.__wrapped__()


# The same table through the service: real people, real records, nothing kept.

NAMED = (
    "initiatives",
    "contracts",
    "baselines",
    "studies",
    "study_results",
    "gate_votes",
    "gate_decisions",
    "gate_revocations",
    "alerts",
    "attendances",
    "minutes",
    "publications",
)  # by whoever adds them
SIGNED_IN = ("viewer", "analyst", "owner", "council", "admin")
READY = {
    "submit": (), "withdraw": (), "accept": ("submit",), "reject": ("submit",), "revoke": ("submit", "accept"),
    "lapse": ("submit", "accept"), "restore": ("retire",), "approve": ("submit",), "reinstate": ("submit", "approve"),
    ("baselines", "revoke"): ("submit", "approve"), ("gate_delegations", "revoke"): (), ("conditions", "lapse"): (),
    ("attendances", "return"): ("leave",), ("alerts", "send"): ("claim",), ("alerts", "fail"): ("claim",),
}  # fmt: skip


class Allowed(Exception):  # noqa: N818
    """The command came past the policy."""


def values_for(register: str, initiative: str, sha: str = "a" * 64) -> dict[str, object]:
    later = dt.date(2027, 1, 1)
    nobody = user("nobody")
    return {
        "users": {"issuer": "demo", "subject": f"new-{initiative}", "name": "New", "roles": ("viewer",)},
        "initiatives": {**INITIATIVE, "sponsor": nobody},
        "ownership": {**homes.OWNERSHIP, "initiative": initiative, "accountable": nobody},
        "decision_rights": {"initiative": initiative, "activity": "A", "scheme": "RACI", "part": "informed", "who": nobody},
        "decisions": {"initiative": initiative, "title": "D", "decider": nobody, "frequency": "daily", "automation": "none",
                      "oversight": "o", "escalation": "e", "fallback": "f"},
        "postures": {"decision": f"{initiative}-decision", "metric": "model.auc", "comparator": "at least",
                     "acceptable": 0.7, "why": "w",
                     "oversight": "o", "escalation": "e", "fallback": "f", "declared_by": nobody, "next_review": later},
        "evidence": {"title": "E", "type": "other", "basis": "observed", "sha256": sha, "owner": nobody,
                     "initiative": initiative},
        "appetites": {"category": "privacy", "appetite": 4, "tolerance": 8, "statement": "s", "next_review": later},
        "risks": {**homes.RISK, "initiative": initiative, "owner": nobody},
        "controls": {"risk": f"{initiative}-risk", "title": "C", "type": "detective", "effectiveness": "effective",
                     "owner": nobody,
                     "next_review": later},
        "acceptances": {"risk": f"{initiative}-risk", "justification": "j", "expires": later},
        "exceptions": {"initiative": initiative, "rule": "r", "justification": "j", "expires": later},
        "contracts": {"title": "T", "contract_version": "1", "status": "active", "table_name": "signals", "owner": nobody,
                      "document": "{}"},
        "operability": {"initiative": initiative, "rollback_plan": "p", "owner": nobody, "next_review": later},
        "targets": {"metric": "model.auc", "comparator": "at least", "threshold": 0.7, "valid_from": later,
                    "initiative": initiative},
        "check_ins": {"target": f"{initiative}-target", "confidence": "on track", "comment": "c"},
        "baselines": {"title": "B", "metric": "model.auc", "grain": "month", "initiative": initiative, "template": "1",
                      "decimal": "point", "date_order": "year-month-day", "zone": "UTC", "file_name": "f", "sha256": sha,
                      "bytes": 1, "rows_sha256": sha, "rows": 1, "first": later, "last": later},
        "studies": {"title": "S", "design": "did", "initiative": initiative, "plan_hash": sha, "plan": "{}"},
        "study_results": {"study": f"{initiative}-study", "data_hash": sha, "sha256": sha, "bytes": 1, "grade": "modelled",
                          "counted": False, "diagnostics": "[]"},
        "gate_reviews": {"initiative": initiative, "gate": "scale", "track": "standard", "request": "r", "template": "1",
                         "tier": "tier 1", "quorum": 1, "approval": 0.5, "criteria": "[]", "snapshot": "{}",
                         "snapshot_sha256": sha},
        "gate_delegations": {"review": f"{initiative}-review", "delegate": nobody},
        "gate_votes": {"review": f"{initiative}-review", "seat": nobody, "vote": "approve"},
        "conditions": {"review": f"{initiative}-review", "title": "C", "kind": "hold from now", "owner": nobody, "due": later},
        "gate_decisions": {"review": f"{initiative}-review", "outcome": "go", "context": "c", "options": "o", "drivers": "d",
                           "consequences": "c", "tally": "t", "basis": "{}", "basis_sha256": sha},
        "gate_revocations": {"decision": f"{initiative}-gate", "why": "w"},
        "gate_events": {"decision": f"{initiative}-gate", "event": "lapsed", "why": "w"},
        "milestones": {"initiative": initiative, "kind": "pilot", "title": "M", "due": later, "owner": nobody},
        "conclusions": {"initiative": initiative, "experiment": "x", "concluded": later, "finding": "f",
                        "effect": "confirmed a decision", "owner": nobody},
        "meetings": {"title": "M"},
        "attendances": {"meeting": f"{initiative}-meeting", "person": nobody},
        "minutes": {"meeting": f"{initiative}-meeting", "record": "{}", "record_sha256": sha},
        "alerts": {"event": "e", "kind": "lapsed", "about_register": "risks", "about_record": "r", "recipient": "webhook",
                   "subject": "s", "message": "m"},
        "publications": {"kind": "day", "as_of": homes.NOW, "first": later, "last": later, "readings": 1, "sha256": sha,
                         "part": 1, "parts": 1, "document": "{}"},
        "comments": {"metric": "model.auc", "comment": "c"}, "saved_views": {"title": "V", "page": "models"},
        "interventions": {"metric": "model.auc", "initiative": initiative, "done_on": later, "what": "w", "owner": nobody},
    }[register]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One person a role, each with an initiative they sponsor; one initiative of nobody in the test."""
    desk = homes.fresh(tmp_path_factory.mktemp("policy") / "ledger.sqlite")
    for role in SIGNED_IN:
        desk.add("users", ROOT, issuer="demo", subject=role, name=role, roles=(role,))
    desk.add("users", ROOT, issuer="demo", subject="nobody", name="N", roles=("owner", "council", "analyst"))
    for admin in ("second", "third"):  # all but one may be retired
        desk.add("users", ROOT, issuer="demo", subject=admin, name=admin, roles=("admin",))
    for name in (*SIGNED_IN, "nobody"):
        desk.add("initiatives", "nobody", record_id=name, **{**INITIATIVE, "sponsor": user(name)})
    return desk


def prepared(
    desk: Desk, register: str, verb: str, role: str, *, own: bool, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """A command on a record in the right state: the role's own, or one it has nothing to do with."""
    initiative = role if own and role in SIGNED_IN else "nobody"
    # A record that names nobody belongs to whoever made it.
    maker = who(role if own and role in SIGNED_IN and register == "saved_views" else "nobody")
    with monkeypatch.context() as patch:
        patch.setattr(commands, "why_not", lambda *_: None)
        patch.setattr(commands, "_council_rules", lambda *_: None)  # they have tests of their own
        values = {k: parent(desk, v, initiative) for k, v in values_for(register, initiative).items()}
        own_fields = {f.name: user(role) for f in REGISTERS[register].fields if f.owns}
        if own and role in SIGNED_IN:
            values |= own_fields
        if verb == "add":
            return Add(
                register,
                tuple(values.items()),
                f"new-{register}" if register in NAMED else "",
            )
        if register == "users":
            identity = role if own and role in SIGNED_IN else "second"
            receipt = commands.Receipt(0, "", homes.NOW, "users", user(identity), 1)
        else:
            name = f"{register}-{role}-{own}" if register in NAMED else ""
            receipt = desk.do(Add(register, tuple(values.items()), name), maker)
        for step in READY.get((register, verb), READY.get(verb, ())):
            receipt = desk.step(step, receipt, maker)
    if verb == "change":
        return Change(register, receipt.record_id, receipt.version, ())
    return Step(verb, register, receipt.record_id, receipt.version)


def parent(desk: Desk, value: object, initiative: str) -> object:
    """The identifier of a record that the new one refers to, made when it is asked for."""
    kinds = {
        "risk": "risks", "decision": "decisions", "target": "targets", "study": "studies", "review": "gate_reviews",
        "gate": "gate_decisions", "meeting": "meetings",
    }  # fmt: skip
    register = next((r for k, r in kinds.items() if value == f"{initiative}-{k}"), None)
    if register is None:
        return value
    values = {k: parent(desk, v, initiative) for k, v in values_for(register, initiative).items()}
    name = f"{register}-{len(desk_rows(desk, register))}" if register in NAMED else ""
    return desk.do(Add(register, tuple(values.items()), name), "nobody").record_id


def desk_rows(desk: Desk, register: str) -> tuple[object, ...]:
    with desk.ledger.store.read() as db:
        return rows.rows(db, register)


def own_matters(register: str, verb: str) -> tuple[bool, ...]:
    """Nobody owns a contract, target, user or initiative before it exists, nor an appetite through anything."""
    without = (
        (
            "users",
            "initiatives",
            "evidence",
            "contracts",
            "appetites",
            "baselines",
            "studies",
            "study_results",
            "gate_revocations",
            "gate_events",
            "alerts",
            "meetings",
            "attendances",
            "minutes",
            "publications",
            "comments",
            "saved_views",
        )
        if verb == "add"
        else ("appetites", "gate_revocations", "gate_events", "alerts")
    )
    return (False,) if register in without else (False, True)


@pytest.mark.parametrize(("register", "verb"), COMMANDS)
def test_the_service_does_what_the_table_says(register: str, verb: str, world: Desk, tmp_path: Path):
    """All on one ledger, as neither a denial nor what is rolled back moves a record."""
    desk = homes.copy_of(Path(world.ledger.store.url.database or ""), tmp_path / "ledger.sqlite")
    for own in own_matters(register, verb):
        owners = SIGNED_IN if own else ("nobody",)
        with pytest.MonkeyPatch.context() as patch:
            made = {o: prepared(desk, register, verb, o, own=own, monkeypatch=patch) for o in owners}
        for role in owners if own else ROLES:
            check_one(desk, made[role if own else "nobody"], role, own=own)


def check_one(desk: Desk, command: Command, role: str, *, own: bool) -> None:
    actor = who(role) if role in SIGNED_IN else Actor(role, "x")
    relation = Relation(owns=own and role in SIGNED_IN)
    before = desk.count(AUDIT)
    may = expected(role, command.register, command.verb, relation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_council_rules", lambda *_: None)
        patch.setattr(commands, "_write", raise_allowed)  # rolled back: the next role meets the same record
        with pytest.raises(Allowed if may else Denied):
            desk.do(command, actor)
    denied = desk.count(AUDIT, AUDIT.c.outcome == "denied", AUDIT.c.seq > before)
    assert denied == (0 if may else 1), (role, own)


def raise_allowed(*_: object) -> None:
    raise Allowed
