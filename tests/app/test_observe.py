"""What an operator watches: the answers of the server itself, asked over ASGI."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import httpx
import pytest

from app.observe import JsonLines, Observed, set_up_logs
from app.settings import SettingsError, load_settings

FROM_NEAR, FROM_FAR = ("127.0.0.1", 5000), ("192.0.2.9", 5000)


async def inner(scope, receive, send) -> None:
    status = 404 if scope["path"] == "/absent" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"inner"})


def ask(app: Observed, path: str, client=FROM_NEAR, **headers: str) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return asyncio.run(once())


@pytest.fixture
def app(enterprise) -> Observed:
    return Observed(inner, enterprise, replace(enterprise.settings, metrics_token="let me in"))


def test_it_is_alive_and_ready_and_passes_the_rest_on(app):
    assert ask(app, "/healthz").json() == {"status": "alive"}
    said = ask(app, "/readyz").json()
    assert said == {"status": "ready", "checks": {"warehouse": True, "rollups": True, "ledger": True}}
    assert ask(app, "/anything").text == "inner"


def test_a_store_that_does_not_answer_makes_it_not_ready_and_says_no_more(app, monkeypatch, caplog):
    def gone(*_: object) -> str:
        raise OSError("secret detail")

    monkeypatch.setattr(type(app._runtime.warehouse), "mark", gone)
    answer = ask(app, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"warehouse": False, "rollups": True, "ledger": True}
    assert "secret" not in answer.text
    assert "secret detail" in caplog.text


def test_the_metrics_count_answers_faults_and_the_age_of_rollups(app):
    ask(app, "/page")
    ask(app, "/absent")
    logging.getLogger("throughline").error("fault %s", "abc")
    text = ask(app, "/metrics").text
    assert 'throughline_requests_total{method="GET",status="404"} 1.0' in text
    assert 'throughline_requests_total{method="GET",status="200"} 1.0' in text
    assert "throughline_faults_total 1.0" in text
    assert 'throughline_rollup_refreshed_timestamp_seconds{rollup="activation.states"} 1.79' in text
    assert "process_resident_memory_bytes" in text
    assert "throughline_sessions 0.0" in text


def test_only_this_machine_or_the_token_reads_the_metrics(app):
    assert ask(app, "/metrics", FROM_FAR).status_code == 404
    assert ask(app, "/metrics", x_forwarded_for="198.51.100.1").status_code == 404
    assert ask(app, "/metrics", FROM_FAR, authorization="Bearer wrong").status_code == 404
    assert ask(app, "/metrics", FROM_FAR, authorization="Bearer let me in").status_code == 200


def test_a_log_line_is_one_json_object_with_its_exception():
    error = ValueError("two\nlines")
    record = logging.LogRecord(
        "throughline", logging.ERROR, "", 0, "fault %s", ("x",), (ValueError, error, None)
    )
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["message"], said["logger"]) == ("error", "fault x", "throughline")
    assert said["time"].endswith("Z")
    assert "two" in said["exception"]


def test_the_form_of_the_logs_is_a_setting(tmp_path, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    set_up_logs("json")
    assert isinstance(logging.getLogger().handlers[0].formatter, JsonLines)
    assert load_settings(tmp_path, {"THROUGHLINE_LOGS": "json"}).logs == "json"
    with pytest.raises(SettingsError, match="must be one of text, json"):
        load_settings(tmp_path, {"THROUGHLINE_LOGS": "xml"})
