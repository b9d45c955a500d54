"""One frozen settings object, from the environment and `.streamlit/secrets.toml`. Nothing else reads either."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
SECRETS = ROOT / ".streamlit" / "secrets.toml"
MODES = ("demo", "production")
LOGS = ("text", "json")


LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(ValueError):
    """A setting that the app cannot work with."""


@dataclass(frozen=True)
class Settings:
    """Where things are. `warehouse_url` None means the embedded lake under `home`, `ledger_url` None SQLite there.

    `person_lists`: whether lists of single persons (as ids) may be shown; no by default outside the demo.
    `session_hours`: how long a sign-in counts; the cookie itself would live for 30 days.
    `anchors`: where the ledger's anchors go; best on a volume that whoever can write the ledger cannot write.
    `metrics_token`: who brings it may read /metrics from elsewhere. `logs`: `text`, or `json` for one object a line.
    `read_ahead`: whether the server reads every page's numbers before somebody asks (app/warm.py).
    `smtp_url`, `alert_from`: how alerts are mailed; `webhook_url`, `webhook_secret`: where they are posted, signed.
    """

    home: Path
    mode: str = "demo"
    warehouse_url: str | None = None
    warehouse_schema: str | None = None
    duckdb_memory: str = "700MB"
    person_lists: bool = False
    ledger_url: str | None = None
    anchors: Path | None = None
    session_hours: float = 8.0
    smtp_url: str | None = field(default=None, repr=False)
    alert_from: str | None = None
    webhook_url: str | None = field(default=None, repr=False)
    webhook_secret: str | None = field(default=None, repr=False)
    metrics_token: str | None = field(default=None, repr=False)
    logs: str = "text"
    read_ahead: bool = True


def load_settings(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from arguments, then THROUGHLINE_* variables, then the `[throughline]` table of the secrets."""
    environ = os.environ if environ is None else environ
    secrets = _secrets(environ).get("throughline", {})

    def find(name: str) -> str | None:
        value = environ.get(f"THROUGHLINE_{name.upper()}") or secrets.get(name)
        return str(value) if value else None

    mode = _one_of("mode", find("mode") or MODES[0], MODES)
    return Settings(
        home=Path(home or find("home") or ROOT / "home").resolve(),
        mode=mode,
        warehouse_url=find("warehouse_url"),
        warehouse_schema=find("warehouse_schema"),
        duckdb_memory=find("duckdb_memory") or "700MB",
        ledger_url=find("ledger_url"),
        anchors=Path(folder).resolve() if (folder := find("anchors")) else None,
        session_hours=_hours(find("session_hours")),
        smtp_url=find("smtp_url"),
        alert_from=find("alert_from"),
        webhook_url=find("webhook_url"),
        webhook_secret=find("webhook_secret"),
        metrics_token=find("metrics_token"),
        logs=_one_of("logs", find("logs") or LOGS[0], LOGS),
        read_ahead=_one_of("read_ahead", find("read_ahead") or "yes", ("yes", "no")) == "yes",
        person_lists=(find("person_lists") or ("yes" if mode == "demo" else "no")) == "yes",
    )


@dataclass(frozen=True)
class SignIn:
    """The `[auth]` table of the secrets, as Streamlit's sign-in reads it. Never printed, stored or handed to a page."""

    redirect_uri: str = field(default="", repr=False)
    cookie_secret: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    server_metadata_url: str = field(default="", repr=False)


def load_sign_in(environ: Mapping[str, str] | None = None) -> SignIn:
    """What is configured for signing in; empty text for what is not."""
    section = _secrets(os.environ if environ is None else environ).get("auth", {})
    return SignIn(**{f.name: str(section.get(f.name) or "") for f in fields(SignIn)})


def secrets_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where the secrets are: the file that THROUGHLINE_SECRETS names, else `.streamlit/secrets.toml`."""
    given = (os.environ if environ is None else environ).get("THROUGHLINE_SECRETS")
    return Path(given).resolve() if given else SECRETS


def _secrets(environ: Mapping[str, str]) -> dict[str, Any]:
    """The secrets as TOML has them; open by its form, typed by whoever asks."""
    path = secrets_file(environ)
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no sound TOML: {error}") from error


def _one_of(name: str, word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise SettingsError(f"{name} is {word!r}; it must be one of {', '.join(known)}")
    return word


def _hours(text: str | None) -> float:
    try:
        hours = float(text or 8.0)
    except ValueError as error:
        raise SettingsError(f"session_hours is {text!r}; write a number of hours, such as 8") from error
    if not 0 < hours <= 24 * 30:
        raise SettingsError(f"session_hours is {hours:g}; write a number above 0 and at most 720")
    return hours


def is_safe(url: str) -> bool:
    """Whether an address is https, or http on this machine, where nobody listens in between."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
