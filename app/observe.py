"""What an operator watches: liveness, readiness, Prometheus metrics of the app itself, and logs as JSON lines.

`/healthz` says that the process answers; `/readyz` that its stores do (503 where one does not), by name and without
details; `/metrics` is for a scraper on this machine, or one that brings the `metrics_token`.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread
import prometheus_client as prom
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.settings import LOOPBACK, Settings
from app.web import App, Message, Receive, Send

if TYPE_CHECKING:
    from app.runtime import Runtime

HOLDS_SECONDS = 5.0  # an answer to /readyz is used again for so long, however often it is asked
TEXT, JSON = "text/plain; charset=utf-8", "application/json"


@dataclass(frozen=True)
class Readiness:
    """Whether the stores answer: name and whether each does."""

    checks: tuple[tuple[str, bool], ...]

    @property
    def ready(self) -> bool:
        return all(holds for _, holds in self.checks)

    def body(self) -> bytes:
        said = {"status": "ready" if self.ready else "not ready", "checks": dict(self.checks)}
        return json.dumps(said).encode()


def readiness(runtime: Runtime) -> Readiness:
    """Ask each store something small. What a store says of its fault goes to the log, never to the asker."""

    def ledger() -> object:
        held = runtime.door.ledger()
        return held.store.revision() if held else None

    asked: tuple[tuple[str, Callable[[], object]], ...] = (
        ("warehouse", lambda: runtime.warehouse.mark(())),
        ("rollups", runtime.store.held),
        ("ledger", ledger),
    )
    return Readiness(tuple((name, _answers(name, ask)) for name, ask in asked))


def _answers(name: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception:  # whatever it is, the store does not answer
        logging.getLogger("throughline").exception("%s does not answer", name)
        return False
    return True


class Rollups(Collector):
    """How old and how large the rollups are, read when asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        state = self._runtime.store.held().refreshes
        at = GaugeMetricFamily(
            "throughline_rollup_refreshed_timestamp_seconds",
            "When a rollup was last brought up to date",
            labels=["rollup"],
        )
        took = GaugeMetricFamily(
            "throughline_rollup_refresh_seconds", "How long that took", labels=["rollup"]
        )
        newest = GaugeMetricFamily(
            "throughline_rollup_as_of_timestamp_seconds",
            "Newest load that its cells reflect",
            labels=["rollup"],
        )
        for key, done in sorted(state.items()):
            at.add_metric([key], _seconds(done.at))
            took.add_metric([key], done.seconds)
            if done.as_of_us is not None:
                newest.add_metric([key], done.as_of_us / 1e6)
        yield from (at, took, newest)


def _seconds(time_text: str) -> float:
    import datetime as dt

    return dt.datetime.fromisoformat(time_text).timestamp()


class Observed:
    """ASGI middleware: counts and times requests, and answers /healthz, /readyz and /metrics itself."""

    def __init__(self, app: App, runtime: Runtime, settings: Settings) -> None:
        self._app, self._runtime, self._settings = app, runtime, settings
        self._registry = prom.CollectorRegistry()
        prom.ProcessCollector(registry=self._registry)
        prom.PlatformCollector(registry=self._registry)
        self._registry.register(Rollups(runtime))
        self._requests = prom.Counter(
            "throughline_requests", "HTTP answers", ["method", "status"], registry=self._registry
        )
        self._seconds = prom.Histogram(
            "throughline_request_seconds", "Time to an HTTP answer", registry=self._registry
        )
        self._sessions = prom.Gauge(
            "throughline_sessions", "Open browser connections", registry=self._registry
        )
        self._faults = prom.Counter(
            "throughline_faults", "Pages that could not be drawn", registry=self._registry
        )
        logging.getLogger("throughline").addHandler(_Counting(self._faults))
        self._asked: tuple[float, Readiness] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with self._sessions.track_inprogress():
                await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"])
        if path in ("/healthz", "/readyz", "/metrics") and scope["method"] == "GET":
            await self._answer(path, scope, send)
        else:
            await self._counted(scope, receive, send)

    async def _answer(self, path: str, scope: Message, send: Send) -> None:
        if path == "/healthz":
            await _say(send, 200, b'{"status": "alive"}', JSON)
        elif path == "/readyz":
            found = await anyio.to_thread.run_sync(self._readiness)
            await _say(send, 200 if found.ready else 503, found.body(), JSON)
        elif may_scrape(scope, self._settings.metrics_token):
            text = await anyio.to_thread.run_sync(prom.generate_latest, self._registry)
            await _say(send, 200, text, prom.CONTENT_TYPE_PLAIN_0_0_4)
        else:
            await _say(send, 404, b"Not Found", TEXT)

    def _readiness(self) -> Readiness:
        if self._asked is None or time.monotonic() - self._asked[0] > HOLDS_SECONDS:
            self._asked = (time.monotonic(), readiness(self._runtime))
        return self._asked[1]

    async def _counted(self, scope: Message, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            method = (
                scope["method"]
                if scope["method"] in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
                else "other"
            )
            self._requests.labels(method, str(status)).inc()
            self._seconds.observe(time.perf_counter() - started)


def may_scrape(scope: Message, token: str | None) -> bool:
    """Whether an asker gets the metrics: from this machine and not through a proxy, or with the token."""
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope.get("headers", ())}
    given = headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    client = (scope.get("client") or ("",))[0]
    return client in LOOPBACK and not any(n in headers for n in ("x-forwarded-for", "forwarded", "x-real-ip"))


async def _say(send: Send, status: int, body: bytes, kind: str) -> None:
    headers = [
        (b"content-type", kind.encode()),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Counting(logging.Handler):
    """Counts the faults that readers were told a number of."""

    def __init__(self, counter: prom.Counter) -> None:
        super().__init__(logging.ERROR)
        self._counter = counter

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("fault "):
            self._counter.inc()


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the stack of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        said = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        said["message"] = record.getMessage()
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def set_up_logs(form: str) -> None:
    """Logs on stderr, as `text` or as `json` lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines() if form == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers = [handler]
