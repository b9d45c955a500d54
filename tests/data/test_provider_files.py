"""What the provider loaders do with the unknown, the bad and the half known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.lake import Lake
from data.load.clocks import skew_corrected
from data.load.providers import load_provider
from data.load.words import meaning
from tests.cases import CASES, needs_cases
from tests.data.provider_homes import NOW, PAYLOADS, at, load, put, rows, sendgrid


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "home")


def test_unknown_event_types_are_counted_and_named(lake, tmp_path):
    path = put(tmp_path, "a.json", [sendgrid("e1", "teleported"), sendgrid("e2", "open")])
    report = load(lake, "sendgrid", path)
    assert report.unknown == (("teleported", 1),)
    assert "teleported 1" in report.message()
    assert report.outcome == "loaded"
    only = load(lake, "braze", put(tmp_path, "b.json", [{"_event": "users.messages.pigeon.Send", "id": "1"}]))
    assert (only.outcome, only.unknown) == ("nothing new", (("users.messages.pigeon.Send", 1),))


def test_a_plan_or_a_carrier_step_is_known_but_not_kept(lake, tmp_path):
    event = {"_event": "users.messages.sms.CarrierSend", "id": "1", "user_id": "u", "time": 1773046800}
    report = load(lake, "braze", put(tmp_path, "a.json", [event]))
    assert report.not_kept == (("users.messages.sms.CarrierSend: handed to the carrier", 1),)
    assert not report.unknown


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"event": "open"}, "record 2, field timestamp"),
        ({"event": "open", "timestamp": "2026-03-09T09:00:00", "email": "a@b.c"}, "2026-03-09T09:00:00"),
        ({"event": "open", "timestamp": 4102444800, "email": "a@b.c"}, "ahead of the clock"),
        ({"event": "open", "timestamp": 1773046800}, "field email: nothing there"),
        ({"event": {"a": 1, "b": 2}}, "Write a single value"),
    ],
)
def test_a_bad_record_refuses_the_file_and_is_named(lake, tmp_path, record, words):
    report = load(lake, "sendgrid", put(tmp_path, "a.json", [sendgrid("e1", "open"), record]))
    assert report.outcome == "refused"
    assert words in report.message()
    assert "record 2" in report.message()
    assert not rows(lake, "message_events", "*"), "nothing was changed"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", '[{"event": "open",', "not json"),
        ("a.json", "[1, 2]", "record 1 is not an object"),
        ("a.ndjson", '{"event": "open"}\n{"event"', "line 2: not json"),
        ("a.json", "", "empty"),
        ("a.json", "[]", "at least one record"),
        ("a.xml", "<a/>", "wrong extension"),
        ("a.json", "<html></html>", "HTML"),
        ("a.csv", "event,email\nopen", "line 2: ragged row"),
        ("a.json", '[{"event": NaN}]', "NaN"),
    ],
)
def test_a_file_without_meaning_is_refused_in_words(lake, tmp_path, name, text, words):
    report = load(lake, "sendgrid", put(tmp_path, name, text))
    assert report.outcome == "refused"
    assert words in report.message()


def test_a_missing_file_and_an_unknown_provider_are_refused(lake, tmp_path):
    assert load(lake, "segment", tmp_path / "none.json").outcome == "refused"
    with pytest.raises(ValueError, match="Providers: braze"):
        load_provider(lake, "pigeon", [], now=NOW)


def test_a_dry_run_changes_nothing(lake, tmp_path):
    report = load(lake, "sendgrid", put(tmp_path, "a.json", [sendgrid("e1", "open")]), dry_run=True)
    assert report.outcome == "dry run"
    assert dict(report.tables)["message_events"].rows_new == 1
    assert not rows(lake, "message_events", "*")


def test_an_event_refers_to_the_activation_a_former_file_brought(lake, tmp_path):
    load(lake, "sendgrid", put(tmp_path, "a.json", [sendgrid("e1", "processed", activation_id="A1")]))
    load(lake, "sendgrid", put(tmp_path, "b.json", [sendgrid("e2", "group_unsubscribe", asm_group_id=7)]))
    assert rows(lake, "message_events", "activation_id") == [("A1",), ("A1",)]
    assert rows(lake, "activations", "activation_id") == [("A1",)]


def test_a_resubscription_by_import_is_no_release_by_the_person(lake, tmp_path):
    event = {
        "_event": "users.behaviors.subscription.GlobalStateChange", "user_id": "u", "time": 1773046800,
        "channel": "email", "subscription_status": "Subscribed",
    }  # fmt: skip
    events = [
        event | {"id": "1", "state_change_source": "Preference Center"},
        event | {"id": "2", "state_change_source": "CSV Import"},
    ]
    load(lake, "braze", put(tmp_path, "a.json", events))
    assert rows(lake, "suppression_events", "trigger_type", "action") == [
        ("manual", "release"),
        ("re_opt_in", "release"),
    ]


def test_a_drop_by_braze_is_blocked_and_a_bounce_is_not(lake, tmp_path):
    event = {"_event": "users.messages.email.Bounce", "user_id": "u", "time": 1773046800, "dispatch_id": "d"}
    events = [event | {"id": "1", "is_drop": True}, event | {"id": "2", "is_drop": {"boolean": False}}]
    load(lake, "braze", put(tmp_path, "a.json", events))
    assert rows(lake, "message_events", "event_id", "event_type") == [("1", "blocked"), ("2", "bounced_hard")]
    assert len(rows(lake, "suppression_events", "*")) == 1


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("Stop", "opt_out"),
        (" STOP. ", "opt_out"),
        ("opt out", "opt_out"),
        ("revoke", "opt_out"),
        ("please stop texting me", "opt_out_suspected"),
        ("Don't text me again", "opt_out_suspected"),
        ("START", "re_opt_in"),
        ("see you at the weekend", None),
        ("", None),
    ],
)
def test_what_a_reply_means(text, trigger):
    assert meaning(text) == trigger


@needs_cases
def test_clock_skew_is_a_difference_of_exact_durations():
    cases = {c["id"]: c for c in json.loads((CASES / "activation_cases.json").read_text())}
    case = cases["snowplow-495"]
    clocks = case["input"]
    derived = skew_corrected(
        at(clocks["collector_tstamp"]), at(clocks["dvce_sent_tstamp"]), at(clocks["dvce_created_tstamp"])
    )
    assert derived == at(case["expected"]["derived_tstamp"])
    order = json.loads((PAYLOADS / "segment.json").read_text())[2]
    when = skew_corrected(at(order["receivedAt"]), at(order["sentAt"]), at(order["originalTimestamp"]))
    assert when == at(cases["segment-skew"]["expected"]["sg-3"])


@needs_cases
def test_a_segment_call_without_timestamp_takes_the_formula(lake, tmp_path):
    order = json.loads((PAYLOADS / "segment.json").read_text())[2]
    del order["timestamp"]
    load(lake, "segment", put(tmp_path, "a.json", order))
    assert rows(lake, "outcomes", "occurred_at") == [(at("2026-03-09T12:00:00Z"),)]
