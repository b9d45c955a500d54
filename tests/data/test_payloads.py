"""Provider payloads become the canonical rows of the shared cases, whatever their order, once and only once."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from data.lake import Lake
from tests.cases import needs_cases
from tests.data.provider_homes import FILES, PAYLOADS, at, everything, fixture, load, put, rows, sendgrid


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "home")


@pytest.fixture(scope="module")
def expected():
    return json.loads((PAYLOADS / "expected.json").read_text())


@needs_cases
def test_sendgrid_events_become_the_expected_rows(lake, expected):
    want = expected["sendgrid"]
    report = fixture(lake, "sendgrid")
    assert report.records == want["rows_in"]
    assert dict(report.tables)["message_events"].rows_new == want["distinct_events"]
    got = set()
    for event, kind, time, address, channel, reason, machine in rows(
        lake, "message_events",
        "event_id", "event_type", "event_at", "activation_id", "source", "reason", "is_machine",
    ):  # fmt: skip
        assert channel == "sendgrid"
        place = {a: (c, d) for a, c, d in rows(lake, "activations", "activation_id", "channel", "address")}[
            address
        ]
        shown = kind
        if kind in ("blocked", "rejected"):
            shown += f"(reason={reason})"
        if machine:
            shown += "(is_machine=true)"
        got.add(("hash:dropped" if event.startswith("hash:") else event, shown, time, *place))
    assert got == {(e, k, at(t), c, a) for e, k, t, c, a in want["message_events"]}
    suppressed = rows(lake, "suppression_events", "record_id", "trigger_type", "effective_at")
    assert suppressed == sorted((a, k, at(t)) for a, k, t in want["suppression_events"])
    blocked = [e for e, k in rows(lake, "message_events", "event_id", "event_type") if k == "blocked"]
    assert blocked == want["near_misses"]
    assert rows(lake, "activation_signals", "signal_id", "activation_id") == [("S01", "A01")]


@needs_cases
def test_twilio_records_become_the_expected_rows(lake, expected):
    want = expected["twilio"]
    report = fixture(lake, "twilio")
    got = {
        (a, k): (t, r, c)
        for a, k, t, r, c in rows(
            lake, "message_events", "activation_id", "event_type", "event_at", "reason", "provider_code"
        )
    }
    assert {(m, k): at(v[0]) for m, states in want["message_events"].items() for k, v in states.items()} == {
        key: value[0] for key, value in got.items()
    }
    assert got["SM01", "sent"][1] is None, "the provider's own time"
    assert got["SM01", "queued"][1] == got["SM01", "delivered"][1] == got["SM03", "read"][1] == "received"
    assert got["SM02", "blocked"][1:] == ("opt_out", "21610")
    assert dict(report.inferred)["time of an event: received"] == 4
    place = {a: (c, d) for a, c, d in rows(lake, "activations", "activation_id", "channel", "address")}
    assert place["SM03"] == ("whatsapp", "+15550000002")
    suppressed = rows(lake, "suppression_events", "record_id", "trigger_type", "effective_at")
    assert suppressed == sorted((a, k, at(t)) for a, k, t, _ in want["suppression_events"])
    costs = rows(lake, "activations", "activation_id", "cost_amount", "cost_currency")
    assert [list(c) for c in costs if c[1] is not None] == want["costs"]
    assert dict(report.reached)["delivered"] == 1, "a late `sent` says nothing new"


@needs_cases
def test_braze_events_become_the_expected_rows(lake, expected):
    want = expected["braze"]
    fixture(lake, "braze")
    events = rows(lake, "message_events", "event_type", "is_machine", "reason", "activation_id")
    assert len(events) == want["message_events"]
    named = [f"{k}_machine" if m else f"{k}({r})" if k == "skipped" else k for k, m, r, _ in events]
    assert {n: named.count(n) for n in named} == want["detail"]
    sent = sorted(a for k, _, _, a in events if k == "sent")
    assert sent == want["activation_keys"]
    columns = ("record_id", "trigger_type", "scope_channels", "scope_program", "effective_at")
    got = [
        (r, k, c, "global" if g == "*" else g, t)
        for r, k, c, g, t in rows(lake, "suppression_events", *columns)
    ]
    assert got == [(*row[:4], at(row[4])) for row in want["suppression_events"]]
    assert [p for p, a in rows(lake, "signals", "person_id", "arm") if a == "holdout"] == want[
        "holdout_signals"
    ]
    bought = rows(lake, "outcomes", "person_id", "revenue", "currency", "occurred_at")
    assert bought == [(*row[:3], at(row[3])) for row in want["outcomes"]]
    merged = rows(lake, "person_merges", "from_person_id", "to_person_id", "merged_at", "method")
    assert [m[:3] for m in merged if m[3] == "braze UserOrphan"] == [
        (*row[:2], at(row[2])) for row in want["person_merges"]
    ]
    assert [m[:2] for m in merged if m[3] != "braze UserOrphan"] == [("bzu1", "cust-1")], (
        "and on to our own id"
    )


@needs_cases
def test_segment_calls_become_the_expected_rows(lake, expected):
    want = expected["segment"]
    report = fixture(lake, "segment")
    events = rows(lake, "message_events", "event_id", "event_type", "event_at")
    assert events == [(e, k, at(t)) for e, k, t in want["message_events"]]
    stops = rows(lake, "suppression_events", "record_id", "trigger_type", "scope_program", "effective_at")
    assert stops == [(*row[:3], at(row[3])) for row in want["suppression_events"]]
    orders = rows(lake, "outcomes", "outcome_id", "revenue", "currency", "occurred_at")
    assert orders == [(*row[:3], at(row[3])) for row in want["outcomes"]]
    links = rows(lake, "identity_links", "id_type", "id_value")
    assert links == sorted(tuple(link) for link in want["identity_links"])
    assert {p for (p,) in rows(lake, "identity_links", "person_id")} == {"cust-1"}
    consents = rows(lake, "consents", "purpose", "status")
    assert consents == [(p, "subscribed" if yes else "unsubscribed") for p, yes in want["consents"]]
    inferred = [r for k, r in rows(lake, "message_events", "event_type", "reason") if k == "delivered"]
    assert inferred == ["inferred"], "there is no Email Sent"
    assert any(what.startswith("send time") and n == 1 for what, n in report.inferred)


@needs_cases
@pytest.mark.parametrize("provider", FILES)
def test_loading_a_file_twice_changes_nothing(lake, provider):
    fixture(lake, provider)
    before = everything(lake)
    assert load(lake, provider, PAYLOADS / FILES[provider]).outcome == "nothing new"
    assert everything(lake) == before


@needs_cases
@pytest.mark.parametrize("provider", ["segment", "braze", "sendgrid"])
def test_the_order_and_repetition_of_records_changes_nothing(tmp_path, provider):
    records = json.loads((PAYLOADS / FILES[provider]).read_text())
    seen = []
    for seed in range(3):
        shuffled = [*records, *records[:2]] if seed else list(records)
        random.Random(seed).shuffle(shuffled)
        path = put(tmp_path, f"{seed}.json", shuffled)
        lake = Lake(tmp_path / f"home{seed}")
        assert load(lake, provider, path).outcome == "loaded"
        seen.append(everything(lake))
    assert seen[0] == seen[1] == seen[2]


@needs_cases
def test_a_delivery_before_its_send_and_a_late_send_give_the_same_rows(tmp_path):
    document = json.loads((PAYLOADS / "twilio.json").read_text())
    backwards = {name: records[::-1] for name, records in reversed(document.items())}
    homes = [Lake(tmp_path / "one"), Lake(tmp_path / "two")]
    for lake, value in zip(homes, (document, backwards), strict=True):
        load(lake, "twilio", put(tmp_path, f"{lake.home.name}.json", value))
    assert everything(homes[0]) == everything(homes[1])


@needs_cases
def test_one_person_is_recognised_across_providers_whatever_comes_first(tmp_path):
    homes = []
    for order in (["segment", "braze", "sendgrid", "twilio"], ["twilio", "sendgrid", "braze", "segment"]):
        lake = Lake(tmp_path / order[0])
        for provider in order:
            fixture(lake, provider)
        merges = dict(rows(lake, "person_merges", "from_person_id", "to_person_id"))
        stops = rows(lake, "suppression_events", "suppression_event_id", "person_id")
        homes.append({s: merges.get(merges.get(p, p), merges.get(p, p)) for s, p in stops})
    assert homes[0] == homes[1]
    assert {
        p for s, p in homes[0].items() if s in ("segment:sg-2", "braze:bz-6", "sendgrid:ev-u1", "twilio:SM90")
    } == {"cust-1"}


def test_an_address_that_two_persons_share_never_joins_them(lake, tmp_path):
    load(lake, "sendgrid", put(tmp_path, "a.json", [sendgrid("e1", "unsubscribe")]))
    for person in ("p1", "p2"):
        call = {"type": "identify", "messageId": person, "userId": person, "traits": {"email": "a@b.c"}}
        load(lake, "segment", put(tmp_path, f"{person}.json", call | {"timestamp": "2026-03-01T00:00:00Z"}))
    merges = rows(lake, "person_merges", "from_person_id", "to_person_id")
    assert merges == [("email:a@b.c", "p1")], (
        "known by one person when it was merged; the second does not join it"
    )


@pytest.mark.parametrize("form", ["array", "lines", "batches", "gzip"])
def test_arrays_lines_webhook_batches_and_gzip_say_the_same(lake, tmp_path, form):
    events = [sendgrid("e1", "processed"), sendgrid("e2", "delivered")]
    if form == "array":
        path = put(tmp_path, "a.json", events)
    elif form == "lines":
        path = put(tmp_path, "a.ndjson", "\n".join(map(json.dumps, events)))
    elif form == "batches":
        path = put(tmp_path, "a.json", "\n".join(json.dumps([e]) for e in events))
    else:
        path = tmp_path / "a.json.gz"
        path.write_bytes(gzip.compress(json.dumps(events).encode()))
    assert load(lake, "sendgrid", path).outcome == "loaded"
    assert [e for (e,) in rows(lake, "message_events", "event_id")] == ["e1", "e2"]
    assert rows(lake, "activations", "address") == [("a@b.c",)]


def test_a_warehouse_export_of_segment_is_read_by_its_table_name(lake, tmp_path):
    text = (
        "id,user_id,email,email_id,timestamp,received_at\n"
        "x1,u1,a@b.c,em,2026-03-01 09:00:00 UTC,2026-03-01 09:00:01 UTC\n"
    )
    report = load(lake, "segment", put(tmp_path, "email_delivered.csv", text))
    assert report.outcome == "loaded", report.message()
    assert rows(lake, "message_events", "event_id", "event_type") == [("x1", "delivered")]


def test_a_rest_export_of_twilio_as_csv_is_read(lake, tmp_path):
    text = (
        "sid,status,direction,to,from,date_created,date_sent,date_updated,price,price_unit,error_code\n"
        'SM1,delivered,outbound-api,+1555,+1666,"Mon, 09 Mar 2026 09:00:00 +0000","Mon, 09 Mar 2026 09:00:02 +0000",'
        '"Mon, 09 Mar 2026 09:00:04 +0000",-0.0079,USD,\n'
    )
    report = load(lake, "twilio", put(tmp_path, "messages.csv", text))
    assert report.outcome == "loaded", report.message()
    events = rows(lake, "message_events", "event_type", "reason")
    assert events == [("delivered", "inferred"), ("sent", None)], "date_updated only bounds the delivery"


def test_an_event_stream_record_has_the_provider_clock(lake, tmp_path):
    record = {
        "specversion": "1.0", "type": "com.twilio.messaging.message.delivered", "id": "EZ1",
        "time": "2026-03-09T09:00:05Z",
        "data": {"messageSid": "SM1", "messageStatus": "DELIVERED", "to": "+1555", "timestamp": "2026-03-09T09:00:04Z"},
    }  # fmt: skip
    load(lake, "twilio", put(tmp_path, "a.json", [record]))
    assert rows(lake, "message_events", "event_id", "event_at", "reason") == [
        ("SM1:delivered", at("2026-03-09T09:00:04Z"), None)
    ]
