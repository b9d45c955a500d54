"""Alerts: told once to each person, whenever somebody looks; never lost; signed; and nothing in them is a header."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner

from app.__main__ import cli
from app.govern.alerts import outbox
from app.govern.alerts.channels import Mail, Webhook, channels_of
from app.govern.alerts.event import stage
from app.govern.alerts.outbox import DeliveryError, Message
from app.govern.alerts.run import rehearse, run
from app.govern.model import Receipt, Step
from app.govern.views import open_room
from app.govern.watch import Seen
from app.settings import Settings, SettingsError
from data.ledger import AUDIT, TABLES
from tests.ledger.councils import COUNCIL, Chamber, chamber
from tests.ledger.homes import RISK, ROOT, Desk, user

SECRET = "0123456789abcdef0123"
BOUND = ("model.auc", "at least", 0.75, "")


@dataclass
class Watching:
    """Stands in for live Readings of the bounds."""

    state: str = "met"
    breached: frozenset[str] = frozenset()

    def seen(self) -> Seen:
        return Seen(bounds=((*BOUND, self.state),), breached=self.breached)


@dataclass
class Fake:
    """A runtime as far as alerts ask for one."""

    numbers: Any
    watch: Watching = field(default_factory=Watching)

    @property
    def readings(self) -> Any:
        return self.numbers

    @property
    def contracts(self) -> Any:
        return self

    def failures(self, _: object) -> tuple[()]:
        return ()


@dataclass
class Post:
    """A channel that keeps what it delivers. `breaks`: raised instead of, or after, a delivery."""

    taken: list[Message] = field(default_factory=list)
    before: BaseException | None = None
    after: BaseException | None = None
    name: str = "post"

    def reaches(self, recipient: str) -> bool:
        return recipient != "webhook"

    def send(self, message: Message) -> None:
        if self.before:
            raise self.before
        self.taken.append(message)
        if self.after:
            raise self.after

    def keys(self) -> list[tuple[str, str]]:
        return sorted((m.subject, m.recipient) for m in self.taken)


@dataclass
class World:
    """A council with an initiative whose ownership review is due, and a post."""

    chamber: Chamber
    runtime: Fake
    post: Post = field(default_factory=Post)

    @property
    def desk(self) -> Desk:
        return self.chamber.desk

    def run(self, *channels: Any) -> Any:
        return run(self.runtime, self.desk.ledger, lambda _: channels or (self.post,))  # type: ignore[arg-type]

    def states(self) -> list[str]:
        return [r.state for r in open_room(self.desk.ledger, ROOT).rows("alerts")]


def world_on(desk: Desk) -> World:
    made = chamber(desk)
    row = open_room(desk.ledger, ROOT).shelf["ownership"]["churn"]
    receipt = Receipt(0, "", row.at, "ownership", "churn", row.version)
    desk.change(receipt, next_review=dt.date(2026, 11, 10))
    return World(made, Fake(made.numbers))


@pytest.fixture
def world(lite: Desk) -> World:
    return world_on(lite)


@pytest.fixture
def either(desk: Desk) -> World:
    """The same on SQLite and on PostgreSQL."""
    return world_on(desk)


def test_what_is_due_is_told_once_to_each_person(either):
    first = either.run()
    assert either.post.keys() == [("review due: Churn retention (churn)", user("omar"))]
    assert (first.new, first.sent) == (1, 1)
    assert (either.run().sent, either.run().new) == (0, 0)
    assert either.states() == ["sent"]


def test_a_day_on_which_nobody_looked_is_still_told_and_only_the_nearest_reminder(world):
    world.chamber.later(days=40)
    world.run()
    assert [
        m.text.count("was due on 10\u00a0Nov\u00a02026") for m in world.post.taken if m.record_id == "churn"
    ] == [1]
    assert [m.recipient for m in world.post.taken if m.record_id == "churn"] == [user("omar")]


def test_a_reminder_and_then_the_overdue_notice_are_two_events(world):
    world.run()
    world.chamber.later(days=12)
    world.run()
    said = [m.text for m in world.post.taken if m.record_id == "churn"]
    assert ["is due on" in said[0], "was due on" in said[1]] == [True, True]


STAGES = (
    (31, ""), (30, "30 days before"), (8, "30 days before"), (7, "7 days before"), (0, "7 days before"), (-1, "overdue"),
    (-900, "overdue"),
)  # fmt: skip


@pytest.mark.parametrize(("days", "at"), STAGES)
def test_the_nearest_reminder_that_is_reached_counts(days, at):
    today = dt.date(2026, 11, 1)
    assert stage(today + dt.timedelta(days=days), today, (30, 7)) == at


def test_votes_are_asked_of_those_who_may_and_have_not_voted(world):
    review = world.chamber.open().record_id
    world.chamber.vote(review, "carl")
    world.run()
    asked = {m.recipient for m in world.post.taken if m.kind == "vote waits"}
    assert asked == {user(n) for n in COUNCIL} - {user("carl")}


def test_a_breached_condition_is_told_to_its_owner_and_the_council(world):
    review = world.chamber.open().record_id
    world.chamber.votes(review, *COUNCIL[:3])
    world.chamber.condition(review)
    world.chamber.decide(review, "conditional go")
    world.run()
    world.chamber.numbers.held["value.mean_difference"] = (-2.0, -3.0, -1.0)
    world.run()
    told = {(m.kind, m.recipient) for m in world.post.taken}
    assert {("condition failed", user(n)) for n in ("omar", *COUNCIL)} <= told
    assert {("decision back", user(n)) for n in ("omar", *COUNCIL)} <= told
    again = len(world.post.taken)
    world.run()
    assert len(world.post.taken) == again


def test_an_expired_acceptance_lapses_and_is_told_once(either):
    asked = either.desk.add(
        "acceptances", risk="RISK-0001", justification="Small", expires=dt.date(2026, 11, 3)
    )
    either.desk.step("accept", either.desk.step("submit", asked), "carl")
    either.run()
    either.chamber.later(days=5)
    either.run()
    either.run()
    kinds = [m.kind for m in either.post.taken if m.register == "acceptances"]
    assert kinds == ["acceptance ends", "lapsed"]
    assert either.desk.count(TABLES["acceptances"], TABLES["acceptances"].c.state == "expired") == 1


def test_a_tripwire_in_breach_lets_its_acceptance_lapse_and_is_told(either):
    asked = either.desk.add(
        "acceptances", risk="RISK-0001", justification="Small", tripwire_metric="model.auc",
        tripwire_comparator="at least", tripwire_threshold=0.7,
    )  # fmt: skip
    either.desk.step("accept", either.desk.step("submit", asked), "carl")
    either.run()
    states = TABLES["acceptances"].c.state
    assert either.desk.count(TABLES["acceptances"], states == "expired") == 0
    either.runtime.watch.breached = frozenset({asked.record_id})
    either.run()
    either.run()
    assert either.desk.count(TABLES["acceptances"], states == "expired") == 1
    assert [m.kind for m in either.post.taken if m.register == "acceptances"] == ["lapsed"]


def test_a_breach_is_told_again_only_after_it_was_over(world):
    world.desk.add("risks", **{**RISK, "indicator_metric": BOUND[0], "indicator_comparator": BOUND[1],
                               "indicator_threshold": BOUND[2]})  # fmt: skip
    told = []
    for state in ("not met", "not met", "inconclusive", "not met", "met", "not met", "not met"):
        world.runtime.watch.state = state
        world.run()
        told.append(sum(m.kind == "indicator in breach" for m in world.post.taken))
    assert told == [1, 1, 1, 1, 1, 2, 2]


def test_nobody_who_is_gone_is_told_and_the_council_hears_of_what_is_nobody_s(world):
    omar = open_room(world.desk.ledger, ROOT).shelf["users"][user("omar")]
    world.desk.do(Step("retire", "users", omar.record_id, omar.version), "adam")
    world.run()
    assert {m.recipient for m in world.post.taken} == {user(n) for n in COUNCIL}
    assert all("the council is told" in m.text for m in world.post.taken)


def test_a_crash_before_the_delivery_loses_nothing(either):
    either.post.before = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        either.run()
    either.post.before = None
    assert either.run().sent == 0  # somebody may be at it
    either.chamber.later(minutes=11)
    assert either.run().sent == 1
    assert either.states() == ["sent"]


def test_a_crash_between_delivery_and_record_costs_one_duplicate_with_the_same_name(world):
    world.post.after = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.post.after = None
    for _ in range(3):
        world.chamber.later(minutes=11)
        world.run()
    assert len(world.post.taken) == 2
    assert len({m.id for m in world.post.taken}) == 1


def test_two_runs_at_once_deliver_once(either):
    review = either.chamber.open().record_id
    ready = threading.Barrier(3)
    failed = []

    def one() -> None:
        ready.wait()
        try:
            either.run()
        except Exception as error:  # noqa: BLE001 (told below)
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    keys = either.post.keys()
    assert len(keys) == len(set(keys)) == 1 + len(COUNCIL)
    assert review


def test_a_refused_delivery_waits_longer_each_time_and_holds_up_no_other(world):
    world.post.before = DeliveryError("busy")
    outcomes = []
    for minutes in (0, 0, 2, 1, 2):
        world.chamber.later(minutes=minutes)
        outcomes.append(world.run().failed)
    assert outcomes == [1, 0, 1, 0, 1]
    world.post.before = None
    world.chamber.later(days=1)
    assert world.run().sent == 1


def test_what_is_over_before_it_could_be_told_is_not_told(world):
    review = world.chamber.open().record_id
    world.post.before = DeliveryError("busy")
    world.run()
    world.chamber.votes(review, *COUNCIL)
    world.post.before = None
    world.chamber.later(hours=1)
    done = world.run()
    assert done.closed == len(COUNCIL)
    assert "vote waits" not in {m.kind for m in world.post.taken}


def test_a_rehearsal_says_all_and_writes_nothing(world):
    before = world.desk.count(AUDIT)
    said = rehearse(world.runtime, world.desk.ledger, lambda _: (world.post,))
    assert [(t.recipient, t.outcome) for t in said.told] == [(user("omar"), "due")]
    assert (world.desk.count(AUDIT), world.post.taken) == (before, [])


# Real servers.


class Letters:
    """What an SMTP server took, as it came over the wire."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], bytes]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.taken.append((envelope.rcpt_tos, envelope.content))
        return self.answer


@pytest.fixture
def smtp() -> Iterator[tuple[Letters, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    letters = Letters()
    server = Controller(letters, hostname="127.0.0.1", port=port)
    server.start()
    yield letters, port
    server.stop()


def mailed(world: World, port: int) -> Any:
    home = Settings(
        home=Path(), smtp_url=f"smtp://127.0.0.1:{port}", alert_from="Throughline <t@example.org>"
    )
    return run(
        world.runtime, world.desk.ledger, lambda room: channels_of(home, room, world.desk.ledger.clock)
    )  # type: ignore[arg-type]


def with_address(world: World, address: str) -> None:
    omar = open_room(world.desk.ledger, ROOT).shelf["users"][user("omar")]
    receipt = Receipt(0, "", omar.at, "users", omar.record_id, omar.version)
    world.desk.change(receipt, "adam", email=address)


def test_a_real_server_gets_a_letter_that_names_itself(world, smtp):
    letters, port = smtp
    with_address(world, "omar@example.org")
    assert mailed(world, port).sent == 1
    assert mailed(world, port).sent == 0
    ((to, content),) = letters.taken
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert to == ["omar@example.org"]
    assert letter["Message-ID"] == f"<{letter['X-Throughline-Alert']}@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "is due on 10\u00a0Nov\u00a02026" in letter.get_content()


def test_a_server_that_refuses_leaves_the_letter_queued(world, smtp):
    letters, port = smtp
    with_address(world, "omar@example.org")
    letters.answer = "451 try later"
    assert mailed(world, port).failed == 1
    letters.answer = "250 OK"
    world.chamber.later(minutes=5)
    assert mailed(world, port).sent == 1
    assert len(letters.taken) == 1


def test_who_has_no_sound_address_is_named_not_written_to(world, smtp):
    letters, port = smtp
    with_address(world, "a@example.org, b@example.org")
    done = mailed(world, port)
    assert (done.sent, done.unreachable, letters.taken) == (0, ("Omar",), [])


def test_nothing_in_a_message_becomes_a_header(world):
    mail = Mail(
        "smtp", "127.0.0.1", 1, "", "", "t@example.org", {"x": "x@example.org"}, world.desk.ledger.clock
    )
    message = Message(
        "i" * 32,
        "lapsed",
        "risks",
        "R",
        "x",
        "a\r\nBcc: all@example.org",
        "text\r\n.\r\nMAIL FROM",
        None,
        dt.datetime.now(dt.UTC),
    )
    with pytest.raises(DeliveryError):
        mail.send(message)


class Hook(http.server.BaseHTTPRequestHandler):
    """A receiver that keeps what it gets and answers as it is told."""

    taken: list[tuple[dict[str, str], bytes]]
    answer = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((dict(self.headers), body))
        self.send_response(self.answer)
        if self.answer == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        raise AssertionError("a redirect was followed")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hook() -> Iterator[tuple[type[Hook], str]]:
    kind = type("Own", (Hook,), {"taken": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield kind, f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_is_signed_and_names_the_event_once(world, hook):
    kind, url = hook
    way = Webhook(url, SECRET, world.desk.ledger.clock)
    assert world.run(way).sent == 1
    assert world.run(way).sent == 0
    ((headers, body),) = kind.taken
    at, given = (part.partition("=")[2] for part in headers["X-Throughline-Signature"].split(","))
    assert given == hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    content = json.loads(body)
    assert (content["kind"], content["record"], content["due"]) == ("review due", "churn", "2026-11-10")
    assert headers["Idempotency-Key"] == content["id"] == outbox.alert_id(_event(world), "webhook")


def _event(world: World) -> str:
    return open_room(world.desk.ledger, ROOT).rows("alerts")[0].text("event")


def test_a_webhook_that_does_not_take_it_is_tried_again_and_never_followed_elsewhere(world, hook):
    kind, url = hook
    way = Webhook(url, SECRET, world.desk.ledger.clock)
    for answer in (302, 404, 500):
        kind.answer = answer
        assert world.run(way).failed == 1
        world.chamber.later(hours=1)
    kind.answer = 204
    assert world.run(way).sent == 1
    assert len({headers["Idempotency-Key"] for headers, _ in kind.taken}) == 1


REFUSED = (
    ({"webhook_url": "http://example.org/x", "webhook_secret": SECRET}, "not https"),
    ({"webhook_url": "https://example.org/x", "webhook_secret": "short"}, "16 random ones"),
    ({"smtp_url": "ftp://x"}, "smtp_url"),
    ({"smtp_url": "smtps://u:p@mail.example.org"}, "alert_from"),
)


def test_a_channel_that_anybody_could_read_is_refused(lite, tmp_path):
    room = open_room(lite.ledger, ROOT)
    for given, said in REFUSED:
        found = Settings(home=tmp_path, **given)
        with pytest.raises(SettingsError, match=said):
            channels_of(found, room, lite.ledger.clock)
        assert SECRET not in repr(found)
        assert "u:p@" not in repr(found)


def test_the_command_says_what_is_due_and_that_no_channel_is_set(world):
    home = str(world.desk.ledger.store.url.database).rpartition("/")[0]
    said = CliRunner().invoke(cli, ["--home", home, "alert", "--dry-run", "--json"], standalone_mode=False)
    assert [t["recipient"] for t in json.loads(said.stdout)["told"] if "churn" in t["event"]] == [
        user("omar")
    ]
    refused = CliRunner().invoke(cli, ["--home", home, "alert"], standalone_mode=False)
    assert "no channel is set" in str(refused.exception)
