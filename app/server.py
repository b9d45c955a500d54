"""The app as an ASGI application with security headers, served by uvicorn."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import secrets
import threading
from pathlib import Path
from urllib.parse import urlsplit

from app.settings import LOOPBACK, ROOT, Settings, load_sign_in, secrets_file
from app.web import App, Message, Receive, Send

# Streamlit's front end evaluates compiled chart expressions and writes style attributes; nothing else is allowed,
# and no host but this one is ever asked.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'{inline}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS = (
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
)


class SecurityHeaders:
    """ASGI middleware: every HTTP answer carries the policy and `HEADERS`, whatever made it."""

    def __init__(self, app: App, policy: str) -> None:
        self._app = app
        self._headers = (("content-security-policy", policy), *HEADERS)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in self._headers}
                kept = [(k, v) for k, v in message.get("headers", ()) if k.decode().lower() not in ours]
                message["headers"] = kept + [(k.encode(), v.encode()) for k, v in self._headers]
            await send(message)

        await self._app(scope, receive, sealed)


def policy(page: str) -> str:
    """The content security policy for the front end's own page: its inline scripts by their hash, no others."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    return POLICY.format(inline="".join(f" 'sha256-{d}'" for d in digests))


def allowed_hosts(host: str, public: str = "") -> list[str]:
    """Host names the server answers to, against DNS rebinding: its own, and that of the `public` address if it has one."""
    own = ["127.0.0.1", "localhost", "[::1]"]
    name = urlsplit(public).hostname
    if name:
        return list(dict.fromkeys([*own, name]))
    return own if host in LOOPBACK else ["*"]


def loose_options() -> tuple[str, ...]:
    """Options of the front end that open what should be closed, as sentences."""
    from streamlit import config

    wanted: dict[str, object] = {
        "client.showErrorDetails": "none", "server.enableXsrfProtection": True, "browser.gatherUsageStats": False,
        "server.trustedUserHeaders": {},
    }  # fmt: skip
    given = {name: config.get_option(name) for name in wanted}
    loose = [n for n in wanted if given[n] != wanted[n]]
    return tuple(f"Streamlit's {n} is {given[n]!r}; set it to {wanted[n]!r}" for n in loose)


def say_sorry(error: Exception) -> bool:
    """What a reader sees of a fault: a number to quote and what to do. The details go to the log only."""
    import streamlit as st

    number = secrets.token_hex(4)
    logging.getLogger("throughline").error("fault %s", number, exc_info=error)
    st.html(
        '<div class="tl-empty"><b>This page could not be drawn.</b>'
        f"No data was changed. Try again; if it stays, give your administrator the number {number}.</div>"
    )
    return True


def build(settings: Settings, host: str) -> App:
    """The ASGI application. Changes the working folder to the project root, where `.streamlit` is honoured."""
    os.chdir(ROOT)
    os.environ["THROUGHLINE_HOME"] = str(settings.home)

    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from streamlit import config

    from app.observe import Observed
    from app.runtime import shared_runtime

    config.set_option("secrets.files", [str(secrets_file())])  # one place, the same that the settings read
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    middleware = [
        Middleware(SecurityHeaders, policy=policy(page)),
        Middleware(Observed, runtime=shared_runtime(settings), settings=settings),
        Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(host, load_sign_in().redirect_uri)),
    ]
    return st.App(ROOT / "app" / "main.py", middleware=middleware, on_script_error=say_sorry)


def after_start(settings: Settings) -> None:
    """What need not be done before the first answer: let pass what has lapsed, then read ahead for the life of the process.

    In a thread of its own, its imports too: they are those of every page.
    """
    from app.govern.watch import settle
    from app.runtime import shared_runtime

    log, runtime = logging.getLogger("throughline"), shared_runtime(settings)
    try:
        for receipt in settle(runtime):
            log.warning("%s has lapsed", receipt.record_id)
    except Exception:  # whatever it is, the next refresh tries again, and readers are still read ahead for
        log.exception("what has come to its last day did not lapse")
    if settings.read_ahead:
        from app.warm import keep_warm

        keep_warm(runtime)


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until stopped. Raises UnsafeStartError where it must not, OSError where the address is taken."""
    from app.observe import set_up_logs
    from app.startup import check

    set_up_logs(settings.logs)
    os.chdir(ROOT)  # where the front end's options are
    for shout in check(settings, host, loose_options()):
        logging.getLogger("throughline").warning("%s", shout)
    app = build(settings, host)
    import uvicorn

    threading.Thread(target=after_start, args=(settings,), name="behind", daemon=True).start()
    logging.getLogger("uvicorn.access").addFilter(lambda _: False)  # a line for each file of the front end
    print(f"Throughline on http://{host}:{port}", flush=True)  # noqa: T201 (the command's own answer)
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        log_config=None,
        ws_ping_interval=20.0,
    )
