"""One frozen settings object, from the environment and `.streamlit/secrets.toml`. Nothing else reads either."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECRETS = ROOT / ".streamlit" / "secrets.toml"
MODES = ("demo", "production")


class SettingsError(ValueError):
    """A setting that the app cannot work with."""


@dataclass(frozen=True)
class Settings:
    """Where things are. `warehouse_url` None means the embedded lake under `home`, `ledger_url` None SQLite there.

    `person_lists`: whether lists of single persons (as ids) may be shown; no by default outside the demo.
    `anchors`: where the ledger's anchors go; best on a volume that whoever can write the ledger cannot write.
    """

    home: Path
    mode: str = "demo"
    warehouse_url: str | None = None
    warehouse_schema: str | None = None
    duckdb_memory: str = "700MB"
    person_lists: bool = False
    ledger_url: str | None = None
    anchors: Path | None = None


def load_settings(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from arguments, then THROUGHLINE_* variables, then the `[throughline]` table of the secrets."""
    environ = os.environ if environ is None else environ
    secrets = tomllib.loads(SECRETS.read_text()).get("throughline", {}) if SECRETS.exists() else {}

    def find(name: str) -> str | None:
        value = environ.get(f"THROUGHLINE_{name.upper()}") or secrets.get(name)
        return str(value) if value else None

    mode = find("mode") or "demo"
    if mode not in MODES:
        raise SettingsError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")
    return Settings(
        home=Path(home or find("home") or ROOT / "home").resolve(),
        mode=mode,
        warehouse_url=find("warehouse_url"),
        warehouse_schema=find("warehouse_schema"),
        duckdb_memory=find("duckdb_memory") or "700MB",
        ledger_url=find("ledger_url"),
        anchors=Path(folder).resolve() if (folder := find("anchors")) else None,
        person_lists=(find("person_lists") or ("yes" if mode == "demo" else "no")) == "yes",
    )
